/** Opens a GLB that lies in memory: looked over first, decoded by decoders that we serve, and only so long. */

import { Box3, LoadingManager, Vector3 } from "three";
import { DRACOLoader } from "three/examples/jsm/loaders/DRACOLoader.js";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { KTX2Loader } from "three/examples/jsm/loaders/KTX2Loader.js";
import { MeshoptDecoder } from "three/examples/jsm/libs/meshopt_decoder.module.js";

import { MOST, Unviewable, inspect } from "./glb.js";

const PATIENCE_MS = 60_000;

/** Our decoders lie beside the built script. */
const decoders = (/** @type {string} */ name) => new URL(`./decoders/${name}/`, import.meta.url).href;

/**
 * What came out of a file: the scene in its own units (metres), triangles as drawn, the box around it, whether any of it
 * has places on a texture.
 * @typedef {{scene: import("three").Group, triangles: number, box: Box3, mapped: boolean}} Opened
 */

/** @param {import("three").Object3D} object @returns {object is import("three").Mesh} */
export const isMesh = (object) => "isMesh" in object;

/** Lights and cameras of the file would fight with ours. @param {import("three").Object3D} scene */
function strip(scene) {
  /** @type {import("three").Object3D[]} */
  const foreign = [];
  scene.traverse((object) => {
    if ("isLight" in object || "isCamera" in object) foreign.push(object);
  });
  for (const object of foreign) {
    object.parent?.add(...object.children);
    object.removeFromParent();
  }
}

/** @param {import("three").Group} scene @returns {Opened} */
function weigh(scene) {
  let triangles = 0;
  let mapped = false;
  scene.updateMatrixWorld(true);
  scene.traverse((object) => {
    if (!isMesh(object)) return;
    const { index, attributes } = object.geometry;
    triangles += ((index ?? attributes.position)?.count ?? 0) / 3;
    mapped ||= "uv" in attributes;
  });
  // A packed mesh may hold more than its file said.
  if (triangles > MOST.triangles) throw new Unviewable("too-much");
  const box = new Box3().setFromObject(scene, true);
  const size = box.getSize(new Vector3()).length();
  if (!Number.isFinite(size) || size === 0) throw new Unviewable("empty");
  return { scene, triangles: Math.floor(triangles), box, mapped };
}

/**
 * Opens the file. Rejects with `Unviewable`, whatever is wrong with it.
 * @param {Blob} file
 * @param {import("three").WebGLRenderer} renderer which knows what textures this device takes
 * @returns {Promise<Opened>}
 */
export async function open(file, renderer) {
  if (file.size > MOST.bytes) throw new Unviewable("too-much");
  const bytes = await file.arrayBuffer();
  inspect(new Uint8Array(bytes));
  const manager = new LoadingManager();
  const draco = new DRACOLoader(manager).setDecoderPath(decoders("draco")).setWorkerLimit(2);
  const ktx2 = new KTX2Loader(manager).setTranscoderPath(decoders("basis")).setWorkerLimit(2).detectSupport(renderer);
  const loader = new GLTFLoader(manager).setDRACOLoader(draco).setKTX2Loader(ktx2).setMeshoptDecoder(MeshoptDecoder);
  let timer = 0;
  const late = new Promise((_, reject) => {
    timer = window.setTimeout(() => reject(new Unviewable("too-long")), PATIENCE_MS);
  });
  try {
    const { scene } = /** @type {import("three/examples/jsm/loaders/GLTFLoader.js").GLTF} */ (
      await Promise.race([loader.parseAsync(bytes, ""), late])
    );
    strip(scene);
    return weigh(scene);
  } catch (error) {
    throw error instanceof Unviewable ? error : new Unviewable("not-glb");
  } finally {
    window.clearTimeout(timer);
    draco.dispose();
    ktx2.dispose();
  }
}
