/** Opens a GLB from memory, with the decoders that we serve; what it holds is read by exports/parts.js. */

import { LoadingManager } from "three";
import { DRACOLoader } from "three/examples/jsm/loaders/DRACOLoader.js";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { KTX2Loader } from "three/examples/jsm/loaders/KTX2Loader.js";
import { MeshoptDecoder } from "three/examples/jsm/libs/meshopt_decoder.module.js";

import { Refused, demandWhole } from "./glb.js";

/** @typedef {import("three/examples/jsm/loaders/GLTFLoader.js").GLTF} GLTF */

const decoders = new URL("./decoders/", import.meta.url).href;

/** Compressed pictures become plain pixels: there is no graphics card here to give them to. */
const PLAIN = {
  astcSupported: false,
  astcHDRSupported: false,
  etc1Supported: false,
  etc2Supported: false,
  dxtSupported: false,
  bptcSupported: false,
  pvrtcSupported: false,
};

/**
 * The scene in a GLB. Throws `Refused` for what is no GLB or cannot be read.
 * @param {Blob} file
 * @returns {Promise<GLTF>}
 */
export async function open(file) {
  const bytes = await file.arrayBuffer();
  demandWhole(bytes);
  const manager = new LoadingManager();
  const draco = new DRACOLoader(manager).setDecoderPath(`${decoders}draco/`);
  const ktx2 = new KTX2Loader(manager).setTranscoderPath(`${decoders}basis/`);
  ktx2.workerConfig = PLAIN;
  try {
    return await new GLTFLoader(manager)
      .setDRACOLoader(draco)
      .setKTX2Loader(ktx2)
      .setMeshoptDecoder(MeshoptDecoder)
      .parseAsync(bytes, "");
  } catch {
    throw new Refused("broken");
  } finally {
    draco.dispose();
    ktx2.dispose();
  }
}
