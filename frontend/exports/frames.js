/**
 * Pictures of a model on a turntable, drawn without a page: `frameAt(turn, width, height)`, where `turn` goes from 0 (its
 * front) to 1 (its front again).
 */

import {
  CanvasTexture,
  Color,
  DirectionalLight,
  Group,
  Mesh,
  MeshBasicMaterial,
  NeutralToneMapping,
  PerspectiveCamera,
  PlaneGeometry,
  PMREMGenerator,
  Scene,
  Vector3,
  WebGLRenderer,
} from "three";
import { RoomEnvironment } from "three/examples/jsm/environments/RoomEnvironment.js";

import { ROOM_PX } from "../viewer/lights.js";
import { Refused } from "./glb.js";
import { modelOf } from "./parts.js";

/** @typedef {(turn: number, width: number, height: number) => Promise<ImageBitmap | HTMLCanvasElement>} FrameAt */

/** The stage's ground, in the light scheme. */
const GROUND = 0xf3f5f3;
const FIELD_OF_VIEW = 28;
/** How far we look down on it, in radians. */
const LOOK_DOWN = (14 / 180) * Math.PI;
const MARGIN = 1.06;
/**
 * Frames are drawn this much larger and then made smaller: edges and textures come out finer than by the graphics card's
 * own smoothing, and where there is no card it takes a quarter of the time.
 */
const FINER = 2;
const LARGEST_PX = 2160;

/** A soft round shadow. */
function shadow() {
  const canvas = new OffscreenCanvas(128, 128);
  const context = canvas.getContext("2d");
  if (!context) throw new Refused("no-pictures");
  const soft = context.createRadialGradient(64, 64, 0, 64, 64, 64);
  soft.addColorStop(0, "rgb(16 32 26 / 30%)");
  soft.addColorStop(0.55, "rgb(16 32 26 / 11%)");
  soft.addColorStop(1, "rgb(16 32 26 / 0%)");
  context.fillStyle = soft;
  context.fillRect(0, 0, 128, 128);
  const material = new MeshBasicMaterial({ map: new CanvasTexture(canvas), transparent: true, depthWrite: false });
  material.toneMapped = false;
  return new Mesh(new PlaneGeometry(1, 1).rotateX(-Math.PI / 2), material);
}

/**
 * A renderer of the scene. Throws `Refused` with "no-pictures" where the browser has no 3D here.
 * @param {{ scene: import("three").Object3D }} gltf
 * @returns {(turn: number, width: number, height: number) => ImageBitmap}
 */
export function turntable(gltf) {
  const { least, most } = modelOf(gltf);
  const canvas = new OffscreenCanvas(16, 16);
  const small = new OffscreenCanvas(16, 16);
  const context = small.getContext("2d", { alpha: false });
  if (!context) throw new Refused("no-pictures");
  /** @type {WebGLRenderer} */
  let renderer;
  try {
    renderer = new WebGLRenderer({ canvas: /** @type {any} */ (canvas), antialias: false });
  } catch {
    throw new Refused("no-pictures");
  }
  renderer.toneMapping = NeutralToneMapping;
  renderer.toneMappingExposure = 1.05;
  const scene = new Scene();
  scene.background = new Color(GROUND);
  scene.environment = new PMREMGenerator(renderer).fromScene(new RoomEnvironment(), 0.04, 0.1, 100, { size: ROOM_PX }).texture;
  // White models must stand out from the ground.
  scene.environmentIntensity = 0.7;
  const key = new DirectionalLight(0xffffff, 0.7);
  key.position.set(0.6, 1.2, 1);
  scene.add(key);

  // A cylinder round the axis holds it at every angle.
  const centre = least.clone().add(most).multiplyScalar(0.5);
  const size = most.clone().sub(least);
  const radius = Math.hypot(size.x, size.z) / 2;
  const table = new Group();
  table.add(gltf.scene);
  gltf.scene.position.sub(centre);
  const under = shadow();
  under.scale.set(size.x * 1.2 + radius * 0.15, 1, size.z * 1.2 + radius * 0.15);
  under.position.y = -size.y / 2 - size.y * 0.002;
  table.add(under);
  scene.add(table);
  const tall = (size.y / 2) * Math.cos(LOOK_DOWN) + radius * Math.sin(LOOK_DOWN);
  const half = Math.tan((FIELD_OF_VIEW / 360) * Math.PI);

  return (turn, width, height) => {
    if (small.width !== width || small.height !== height) {
      const finer = Math.min(FINER, LARGEST_PX / Math.max(width, height));
      renderer.setSize(Math.round(width * finer), Math.round(height * finer), false);
      [small.width, small.height] = [width, height];
      context.imageSmoothingQuality = "high";
    }
    const aspect = width / height;
    const distance = (Math.max(tall, radius / aspect) * MARGIN) / half + radius;
    const camera = new PerspectiveCamera(FIELD_OF_VIEW, aspect, distance / 100, distance * 4);
    camera.position.copy(new Vector3(0, Math.sin(LOOK_DOWN), Math.cos(LOOK_DOWN)).multiplyScalar(distance));
    camera.lookAt(0, 0, 0);
    table.rotation.y = turn * 2 * Math.PI;
    renderer.render(scene, camera);
    if (renderer.getContext().isContextLost()) throw new Refused("no-pictures");
    context.drawImage(canvas, 0, 0, width, height);
    return small.transferToImageBitmap();
  };
}
