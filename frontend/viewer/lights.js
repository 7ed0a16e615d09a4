/** The lights that a model can stand in. Each is a room of our own, drawn here: no picture of a sky is fetched. */

import { BackSide, BoxGeometry, Color, Mesh, MeshBasicMaterial, PMREMGenerator, Scene, SphereGeometry } from "three";

/** @typedef {"studio" | "day" | "evening" | "even"} Light */
/** @typedef {{colour: number, strength: number, from: [number, number, number]}} Sun */
/** @typedef {{room: () => Scene, strength: number, exposure: number, sun: Sun | null}} Setting */

/** Sharp enough for panels of light, and a fraction of the work on a device without a graphics card. */
export const ROOM_PX = 64;

/** A room of one colour. @param {number} colour @param {number} strength */
function walls(colour, strength) {
  const room = new Scene();
  const material = new MeshBasicMaterial({ color: new Color(colour).multiplyScalar(strength), side: BackSide });
  room.add(new Mesh(new SphereGeometry(20, 24, 16), material));
  return room;
}

/**
 * A lit panel that faces the middle.
 * @param {Scene} room @param {[number, number, number]} at @param {[number, number]} size @param {number} strength
 * @param {number} colour
 */
function panel(room, at, size, strength, colour = 0xffffff) {
  const material = new MeshBasicMaterial({ color: new Color(colour).multiplyScalar(strength) });
  const sheet = new Mesh(new BoxGeometry(size[0], size[1], 0.1), material);
  sheet.position.set(...at);
  sheet.lookAt(0, 0, 0);
  room.add(sheet);
}

/** @type {Record<Light, Setting>} */
const SETTINGS = {
  studio: {
    room: () => {
      const room = walls(0xf3f5f3, 0.62);
      panel(room, [-8, 7, 7], [7, 7], 7);
      panel(room, [9, 3, 5], [4, 8], 2.4);
      panel(room, [0, 11, -1], [9, 5], 4.5);
      panel(room, [3, 4, -11], [8, 4], 3);
      return room;
    },
    strength: 1,
    exposure: 0.95,
    sun: null,
  },
  day: {
    room: () => {
      const room = walls(0xb9d2ee, 0.75);
      panel(room, [0, -12, 0], [40, 40], 0.42, 0xcbbf9f);
      panel(room, [0, 14, 0], [16, 16], 1.3, 0xdcebff);
      return room;
    },
    strength: 0.85,
    exposure: 1,
    sun: { colour: 0xfff0d6, strength: 2.6, from: [-0.75, 1.15, 0.9] },
  },
  evening: {
    room: () => {
      const room = walls(0x3c4763, 0.55);
      panel(room, [-10, 3, -4], [6, 10], 15, 0xffb27a);
      panel(room, [10, 4, -2], [4, 10], 8, 0x86a8ff);
      panel(room, [4, 6, 9], [8, 6], 4.5, 0xffe0c2);
      return room;
    },
    strength: 1,
    exposure: 1.1,
    sun: null,
  },
  even: { room: () => walls(0xffffff, 1), strength: 1, exposure: 1, sun: null },
};

/** Light by name, each drawn when it is first wanted. */
export class Lights {
  /** @param {import("three").WebGLRenderer} renderer */
  constructor(renderer) {
    this.renderer = renderer;
    /** @type {Map<Light, import("three").WebGLRenderTarget>} */
    this.drawn = new Map();
  }

  /** @param {Light} light @returns {Setting & {texture: import("three").Texture}} */
  get(light) {
    let target = this.drawn.get(light);
    if (!target) {
      const generator = new PMREMGenerator(this.renderer);
      const room = SETTINGS[light].room();
      target = generator.fromScene(room, 0.03, 0.1, 100, { size: ROOM_PX });
      room.traverse((object) => {
        if (object instanceof Mesh) {
          object.geometry.dispose();
          object.material.dispose();
        }
      });
      generator.dispose();
      this.drawn.set(light, target);
    }
    return { ...SETTINGS[light], texture: target.texture };
  }

  /** After the graphics card forgot everything, or for good. */
  forget() {
    for (const target of this.drawn.values()) target.dispose();
    this.drawn.clear();
  }
}
