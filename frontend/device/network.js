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

/** A file of this site. Throws a TypeError where it cannot be had. @param {string} address @param {RequestInit} [how] */
async function fetched(address, how) {
  const answer = await fetch(address, { credentials: "omit", ...how });
  if (!answer.ok) throw new TypeError(`${answer.status}`);
  return answer.arrayBuffer();
}

/**
 * Loads the network. Throws a TypeError where it cannot be had, anything else where it does not run here.
 * @param {string} weights address
 * @param {string} integrity of the weights, as in a page's integrity attribute
 * @returns {Promise<import("./saliency.js").Network>}
 */
export async function load(weights, integrity) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  // Not by the library, which never tries again once a fetch of its own has failed.
  const [runtime, file] = await Promise.all([
    fetched(new URL(RUNTIME, import.meta.url).href),
    fetched(weights, { integrity }),
  ]);
  ort.env.wasm.wasmBinary = runtime;
  const session = await ort.InferenceSession.create(freed(new Uint8Array(file)), {
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
