/**
 * The network u2netp, run by onnxruntime's WebAssembly in one thread: several would need shared memory, which our pages
 * do without. The weights come from our own server and are used only if they are the ones that are expected.
 */

import * as ort from "onnxruntime-web/wasm";

/** Put in by the build. */
/** @type {string} */ // @ts-expect-error
const RUNTIME = __ONNX_RUNTIME__;

/**
 * The file declares its input as 320 x 320, though nothing in the network depends on it: two of ONNX's sizes by number,
 * and the same by name. Naming them allows smaller, quicker pictures; generation/engine/saliency.py does the same.
 */
const FIXED = [10, 3, 8, 192, 2, 10, 3, 8, 192, 2];
const FREE = [10, 3, 18, 1, 104, 10, 3, 18, 1, 119];

/**
 * Loads the network. Throws where the network, or the memory for it, is not to be had.
 * @param {string} weights address
 * @param {string} integrity of the weights, as in a page's integrity attribute
 * @returns {Promise<import("./saliency.js").Network>}
 */
export async function load(weights, integrity) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  ort.env.wasm.wasmPaths = { wasm: new URL(RUNTIME, import.meta.url).href };
  const answer = await fetch(weights, { integrity, credentials: "omit" });
  if (!answer.ok) throw new TypeError(`no weights: ${answer.status}`);
  const session = await ort.InferenceSession.create(freed(new Uint8Array(await answer.arrayBuffer())), {
    executionProviders: ["wasm"],
    enableMemPattern: false, // pictures of two sizes come by turns
  });
  return async (planes, side) => {
    const input = new ort.Tensor("float32", planes, [1, 3, side, side]);
    const { [session.outputNames[0]]: output } = await session.run({ [session.inputNames[0]]: input }, [session.outputNames[0]]);
    return /** @type {Float32Array} */ (output.data);
  };
}

/** The same network for pictures of any size. @param {Uint8Array} bytes */
function freed(bytes) {
  for (let at = bytes.indexOf(FIXED[0]); at >= 0; at = bytes.indexOf(FIXED[0], at + 1)) {
    if (FIXED.every((value, place) => bytes[at + place] === value)) bytes.set(FREE, at);
  }
  return bytes;
}
