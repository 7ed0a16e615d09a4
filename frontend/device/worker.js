/** The worker that reads, redraws and cuts out photos, so that no file, however hostile, holds up the page. */

import { cleared } from "./clearing.js";
import { load } from "./network.js";
import { outlineOf } from "./outline.js";
import { tagsIn } from "./reading.js";
import { draw, NoPicture, penOf, write } from "./redraw.js";

/** @typedef {import("./messages.js").Tasks} Tasks */
/** @typedef {import("./redraw.js").Shape} Shape */
/** @typedef {{canvas: OffscreenCanvas, outline: import("./outline.js").Outline | null, all: boolean | null}} Drawn */

/** Put in by the build. */
/** @type {string} */ // @ts-expect-error
const HEIC_RUNTIME = __HEIC_RUNTIME__;
/** So many pictures are kept for a change of their outline; each takes up to 32 MB. */
const KEPT = 4;
/** More than this share clear: the picture says itself what its subject is, as generation/engine/mask.py has it. */
const CLEAR_SHARE = 0.005;

/** @type {Map<number, Drawn>} */
const pictures = new Map();
/** @type {Promise<import("./saliency.js").Network> | null} */
let network = null;
let last = 0;

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function heic(bytes) {
  const library = await import(new URL("./heic.js", import.meta.url).href);
  return library.decode(bytes, new URL(HEIC_RUNTIME, import.meta.url).href);
}

/** A picture that was drawn, now the last that will be forgotten. @param {number} key */
function kept(key) {
  const found = pictures.get(key);
  if (!found) throw new NoPicture("gone");
  pictures.delete(key);
  pictures.set(key, found);
  return found;
}

/** @param {OffscreenCanvas} canvas */
const pixels = (canvas) => penOf(canvas).getImageData(0, 0, canvas.width, canvas.height);

/** @type {{[Name in keyof Tasks]: (asked: Tasks[Name][0]) => Promise<Tasks[Name][1]>}} */
const tasks = {
  tags: ({ file }) => tagsIn(file),

  async draw({ file, shape }) {
    const canvas = await draw(file, shape, heic);
    last += 1;
    pictures.set(last, { canvas, outline: null, all: null });
    for (const key of pictures.keys()) if (pictures.size > KEPT) pictures.delete(key);
    const { data } = pixels(canvas);
    let [clear, seeThrough] = [0, 0];
    for (let at = 3; at < data.length; at += 4) {
      if (data[at] < 128) clear += 1;
      if (data[at] < 255) seeThrough += 1;
    }
    return { key: last, clear: clear > (CLEAR_SHARE * data.length) / 4, transparent: seeThrough > 0 };
  },

  async write({ key, transparent }) {
    const { canvas } = kept(key);
    pictures.delete(key); // room for those whose outline may be moved
    return { blob: await write(canvas, transparent), width: canvas.width, height: canvas.height };
  },

  async load({ weights, integrity }) {
    network ??= load(weights, integrity);
    try {
      await network;
    } catch (problem) {
      network = null; // the next photo tries again
      throw problem;
    }
    return null;
  },

  async cut({ key, edge, all }) {
    const found = kept(key);
    const { canvas } = found;
    const { width, height } = canvas;
    const picture = pixels(canvas);
    if (found.all !== all || !found.outline) {
      if (!network) throw new NoPicture("gone");
      found.outline = await outlineOf(picture, all, await network);
      found.all = all;
    }
    if (!found.outline) throw new NoPicture("nothing");
    const subject = new OffscreenCanvas(width, height);
    penOf(subject).putImageData(new ImageData(cleared(picture, found.outline, edge), width, height), 0, 0);
    return { blob: await write(subject, true), width, height };
  },
};

self.addEventListener("message", async ({ data: { id, name, asked } }) => {
  try {
    const answer = await tasks[/** @type {keyof Tasks} */ (name)](asked);
    self.postMessage({ id, answer });
  } catch (problem) {
    self.postMessage({ id, failed: codeOf(problem) });
  }
});

/** Why something failed, in one word. @param {unknown} problem */
function codeOf(problem) {
  if (problem instanceof NoPicture) return problem.code;
  if (problem instanceof RangeError || /memory|allocat/i.test(String(problem))) return "memory";
  return problem instanceof TypeError ? "network" : "failed";
}
