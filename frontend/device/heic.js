/** Decodes HEIC with libheif; loaded only for such a file, in a browser that cannot read it itself. */

import libheif from "libheif-js/libheif-wasm/libheif.js";

import { MOST_PIXELS } from "./headers.js";

/**
 * The first picture in the file, upright. Throws an Error where there is none.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} runtime the address of libheif's WebAssembly
 * @returns {Promise<ImageData>}
 */
export async function decode(bytes, runtime) {
  const answer = await fetch(runtime, { credentials: "omit" });
  if (!answer.ok) throw new TypeError(`no libheif: ${answer.status}`);
  // Its types leave out the part that is written in JavaScript.
  const library = /** @type {any} */ (libheif({ wasmBinary: await answer.arrayBuffer() }));
  const [picture] = new library.HeifDecoder().decode(bytes);
  if (!picture) throw new Error("no picture in the file");
  const [width, height] = [picture.get_width(), picture.get_height()];
  if (!(width > 0 && height > 0 && width * height <= MOST_PIXELS)) throw new Error("a size that is not taken");
  const pixels = new ImageData(width, height);
  await new Promise((resolve, reject) => {
    picture.display(pixels, (/** @type {ImageData | null} */ shown) => (shown ? resolve(shown) : reject(new Error("damaged"))));
  });
  return pixels;
}
