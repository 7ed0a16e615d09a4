/**
 * The viewer of a GLB that lies in memory; loaded only when there is one, and of use to any page.
 *
 * `viewer(source, label)` gives a handle at once; its `ready` tells when the model is there, or why it never will be.
 */

import { Vector3 } from "three";

import { command, described } from "./viewer/camera.js";
import { FRONT } from "./viewer/framing.js";
import { Unviewable } from "./viewer/glb.js";
import { measures } from "./viewer/measures.js";
import { isMesh, open } from "./viewer/opening.js";
import { Stage } from "./viewer/stage.js";
import { word as ours } from "./words.js";

export { panel } from "./viewer/panel.js";
export { Unviewable };

/** @typedef {import("./viewer/camera.js").View} View */
/** @typedef {{triangles: number, size: Vector3, mapped: boolean}} Facts the size in metres */
/** @typedef {{word?: import("./viewer/camera.js").Word, printed?: boolean}} Options of how it speaks; `printed`: measures in millimetres */

const STEP = Math.PI / 12;
const NEARER = 1.2;
const MOVE_PX = 40;
const ARRIVAL = (20 * Math.PI) / 180;
const ARRIVAL_MS = 900;
const PICTURE_PX = 2048;
const SPOKEN_MS = 350;

/** @type {Record<string, Partial<View>>} */
const NUDGES = {
  "turn-left": { turn: -STEP },
  "turn-right": { turn: STEP },
  "tilt-up": { tilt: STEP },
  "tilt-down": { tilt: -STEP },
  nearer: { zoom: NEARER },
  farther: { zoom: 1 / NEARER },
};
/** @type {Record<string, [number, number]>} */
const MOVES = { "move-left": [MOVE_PX, 0], "move-right": [-MOVE_PX, 0], "move-up": [0, MOVE_PX], "move-down": [0, -MOVE_PX] };

/** An element of a class. @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {string} name */
function made(tag, name) {
  const element = document.createElement(tag);
  element.className = name;
  return element;
}

/**
 * One model on the page. Its element sends `viewer:command` for keys that are not about the camera (`detail` names
 * them), `viewer:lost` and `viewer:back` when the browser takes its 3D view away and gives it back.
 */
export class Viewer {
  /** @param {Blob | string} source the file, or its address here @param {string} label @param {Options} options */
  constructor(source, label, { word = ours, printed = false }) {
    this.word = word;
    this.printed = printed;
    /** @type {import("./viewer/looks.js").Look} */
    this.look = "colour";
    /** @type {import("./viewer/lights.js").Light} */
    this.light = "studio";
    this.turning = false;
    this.measured = false;
    this.element = made("div", "viewer");
    this.canvas = made("canvas", "viewer-canvas");
    this.over = made("div", "viewer-over");
    this.says = made("p", "unseen");
    this.says.id = `viewer-says-${Math.random().toString(36).slice(2)}`;
    this.says.setAttribute("role", "status");
    this.element.append(this.canvas, this.over, this.says);
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", word("viewer"));
    this.canvas.setAttribute("aria-label", label);
    this.canvas.setAttribute("aria-describedby", this.says.id);
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("webglcontextlost", () => this.lost());
    this.canvas.addEventListener("webglcontextrestored", () => this.back());
    /** A picture of the model for when the browser lost its 3D view. @type {HTMLCanvasElement | null} */
    this.poster = null;
    /** @type {Promise<Facts>} */
    this.ready = this.start(source);
    this.ready.catch(() => this.dispose());
  }

  /** @param {Blob | string} source @returns {Promise<Facts>} */
  async start(source) {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.stage = new Stage(this.canvas, still);
    const stage = this.stage;
    /** The GLB itself. */
    this.file = typeof source === "string" ? await (await fetch(source)).blob() : source;
    this.opened = await open(this.file, stage.renderer);
    const { box, mapped, triangles } = this.opened;
    this.size = box.getSize(new Vector3());
    stage.show(this.opened, this.over);
    this.watch(stage);
    stage.onrest = () => {
      this.poster ??= this.kept();
    };
    this.setLight(this.light);
    this.setLook(this.look);
    this.element.classList.add("shown");
    if (!still) {
      stage.place({ ...FRONT, turn: -ARRIVAL, zoom: 1 });
      stage.glide({ ...FRONT, zoom: 1 }, undefined, ARRIVAL_MS);
    }
    this.describe({ ...FRONT, zoom: 1 });
    return { triangles, size: this.size, mapped };
  }

  /** What is seen now, kept for when it can no longer be drawn. */
  kept() {
    const poster = made("canvas", "viewer-poster");
    poster.width = this.canvas.width;
    poster.height = this.canvas.height;
    poster.getContext("2d")?.drawImage(this.canvas, 0, 0);
    return poster;
  }

  /** Follows the element's size and the page's colours. @param {Stage} stage */
  watch(stage) {
    const fit = () => {
      const lift = Number.parseFloat(getComputedStyle(this.element).getPropertyValue("--lift")) || 0;
      stage.resize(this.element.clientWidth, this.element.clientHeight, lift);
    };
    fit();
    this.sizes = new ResizeObserver(fit);
    this.sizes.observe(this.element);
    const redress = () => this.recolour();
    this.schemes = ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"].map((query) => window.matchMedia(query));
    for (const scheme of this.schemes) scheme.addEventListener("change", redress);
    this.unwatch = () => {
      this.sizes?.disconnect();
      for (const scheme of this.schemes ?? []) scheme.removeEventListener("change", redress);
    };
  }

  /** @param {"--ink-2" | "--sheet" | "--stage-centre" | "--stage-edge"} name */
  colour(name) {
    return getComputedStyle(this.element).getPropertyValue(name).trim() || "#808080";
  }

  /** The scheme has changed. */
  recolour() {
    this.setLook(this.look);
    this.setMeasured(this.measured);
  }

  /** @param {import("./viewer/looks.js").Look} look */
  setLook(look) {
    this.look = look;
    this.stage?.wear(look, { ink: this.colour("--ink-2"), sheet: this.colour("--sheet") });
  }

  /** @param {import("./viewer/lights.js").Light} light */
  setLight(light) {
    this.light = light;
    this.stage?.light(light);
  }

  /** Turns by itself, or rests. @param {boolean} on */
  setTurning(on) {
    this.turning = on;
    this.stage?.turning(on);
  }

  /** Width, height and depth as people read them. */
  measures() {
    return measures(this.size ?? new Vector3(), this.printed, document.documentElement.lang || "en");
  }

  /** Shows the box with its measures. @param {boolean} on */
  setMeasured(on) {
    this.measured = on;
    const { width, height, depth } = this.measures();
    this.stage?.ruler?.show(on ? [width, height, depth] : null, this.colour("--ink-2"));
    this.stage?.draw();
  }

  /** A command about the camera; false for others. @param {string} name */
  run(name) {
    const { stage } = this;
    if (!stage) return false;
    if (name === "front") {
      stage.glide({ ...FRONT, zoom: 1 });
      this.speak({ ...FRONT, zoom: 1 });
    } else if (Object.hasOwn(NUDGES, name)) {
      this.speak(stage.nudge(NUDGES[name]));
    } else if (Object.hasOwn(MOVES, name)) {
      stage.controls.pan(...MOVES[name]);
    } else {
      return false;
    }
    return true;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const name = command(event);
    if (!name) return;
    event.preventDefault();
    if (!this.run(name)) this.element.dispatchEvent(new CustomEvent("viewer:command", { detail: name }));
  }

  /** Says where the camera is, when the keys rest. @param {View} view */
  speak(view) {
    window.clearTimeout(this.speaking);
    this.speaking = window.setTimeout(() => this.describe(view), SPOKEN_MS);
  }

  /** @param {View} view */
  describe(view) {
    this.says.textContent = described(view, this.word);
  }

  /**
   * The model as it came, in glTF units (metres), dressed in its own materials whatever the look is.
   * @returns {import("three").Object3D}
   */
  scene() {
    if (!this.opened) throw new Unviewable("empty");
    return this.opened.scene;
  }

  /** @param {number} width @param {number} height @param {View} view @param {Vector3} [target] */
  frame(width, height, view, target) {
    if (!this.stage) throw new Unviewable("no-webgl");
    return this.stage.picture(width, height, view, target);
  }

  /**
   * One frame of a turntable, in the present look and light.
   * @param {number} turn 0 to 1, from the front and once round @param {number} width @param {number} height in pixels
   * @param {{ground?: boolean}} [options] on the stage's ground; else it is transparent
   * @returns {HTMLCanvasElement}
   */
  frameAt(turn, width, height, { ground = false } = {}) {
    const frame = this.frame(width, height, { turn: turn * 2 * Math.PI, tilt: FRONT.tilt, zoom: 1 });
    return ground ? this.grounded(frame) : frame;
  }

  /** Lays the stage's ground under a frame. @param {HTMLCanvasElement} frame */
  grounded(frame) {
    const pen = frame.getContext("2d");
    if (!pen) return frame;
    const { width, height } = frame;
    const fade = pen.createRadialGradient(width / 2, height * 0.44, 0, width / 2, height * 0.44, Math.hypot(width, height) * 0.52);
    fade.addColorStop(0, this.colour("--stage-centre"));
    fade.addColorStop(1, this.colour("--stage-edge"));
    pen.globalCompositeOperation = "destination-over";
    pen.fillStyle = fade;
    pen.fillRect(0, 0, width, height);
    return frame;
  }

  /** What one sees now, as a PNG. @returns {Promise<Blob>} */
  async picture() {
    const { stage } = this;
    if (!stage) throw new Unviewable("no-webgl");
    const scale = PICTURE_PX / Math.max(stage.width, stage.height, 1);
    const [width, height] = [Math.round(stage.width * scale), Math.round(stage.height * scale)];
    const paper = this.grounded(this.frame(width, height, stage.view(), stage.controls.target.clone()));
    return new Promise((resolve, reject) => {
      paper.toBlob((blob) => (blob ? resolve(blob) : reject(new Unviewable("too-much"))), "image/png");
    });
  }

  /** The browser took the graphics card away. */
  lost() {
    if (this.poster) this.over.append(this.poster);
    this.element.classList.add("lost");
    this.element.dispatchEvent(new CustomEvent("viewer:lost"));
  }

  /** And gave it back. */
  back() {
    this.stage?.recover(this.light);
    this.poster?.remove();
    this.element.classList.remove("lost");
    this.element.dispatchEvent(new CustomEvent("viewer:back"));
  }

  /** Takes it off the page and gives its memory back. */
  dispose() {
    window.clearTimeout(this.speaking);
    this.unwatch?.();
    this.stage?.dispose();
    this.opened?.scene.traverse((object) => {
      if (!isMesh(object)) return;
      for (const material of [object.material].flat()) {
        for (const value of Object.values(material)) value?.isTexture && value.dispose();
        material.dispose();
      }
    });
    this.element.remove();
  }
}

/**
 * A viewer of a GLB; its element is the caller's to put on the page.
 * @param {Blob | string} source the file, or a `blob:` address @param {string} label what it shows, for screen readers
 * @param {Options} [options]
 */
export function viewer(source, label, options = {}) {
  return new Viewer(source, label, options);
}
