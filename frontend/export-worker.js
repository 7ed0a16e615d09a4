/**
 * The worker that makes files of other formats from the GLB. Beside the page, so that the page never stands still and
 * whatever hangs can be ended.
 *
 * It is asked `{ id, ask, … }` and answers `{ id, answer }` or `{ id, refused }`, the name of a sentence.
 */

import { Refused } from "./exports/glb.js";
import { Gif } from "./exports/gif.js";
import { obj } from "./exports/obj.js";
import { open } from "./exports/opening.js";
import { modelOf } from "./exports/parts.js";
import { ply } from "./exports/ply.js";
import { stl } from "./exports/stl.js";
import { threemf } from "./exports/threemf.js";
import { turntable } from "./exports/frames.js";
import { usdz } from "./exports/usdz.js";

/** @typedef {import("./exports/opening.js").GLTF} GLTF */

const page = /** @type {{ postMessage(message: unknown, transfer?: Transferable[]): void }} */ (/** @type {unknown} */ (self));
const MAKERS = { obj, stl, ply, usdz, "3mf": threemf };

/** @type {Blob | null} */
let file = null;
/** @type {GLTF | null} */
let model = null;
/** @type {((turn: number, width: number, height: number) => ImageBitmap) | null} */
let frame = null;
/** @type {Gif | null} */
let gif = null;

function opened() {
  if (!model) throw new Refused("broken");
  return model;
}

/** What can be asked for, by name. @type {Record<string, (asked: any) => unknown>} */
const ASKS = {
  /** Opens a file and measures it: metres along x, y and z. @param {{ file: Blob }} asked */
  async open(asked) {
    file = asked.file;
    model = await open(file);
    const { least, most, triangles } = modelOf(model);
    return { size: most.clone().sub(least).toArray(), triangles };
  },
  /** @param {{ format: keyof typeof MAKERS, print: import("./exports/sizes.js").Print }} asked */
  make: ({ format, print }) => MAKERS[format](opened(), print),
  /** A picture from a turntable. It has a scene of its own: that one stands elsewhere. @param {any} asked */
  async frame({ turn, width, height }) {
    frame ??= turntable(await open(file ?? new Blob()));
    return frame(turn, width, height);
  },
  /** @param {{ small: ImageBitmap[], delay: number }} asked */
  gif({ small, delay }) {
    gif = new Gif(small, delay);
  },
  /** @param {{ frame: ImageBitmap }} asked */
  add: (asked) => gif?.add(asked.frame),
  end() {
    const made = gif?.end();
    gif = null;
    return made;
  },
};

self.addEventListener("message", async ({ data }) => {
  try {
    const answer = await ASKS[data.ask](data);
    page.postMessage({ id: data.id, answer }, answer instanceof ImageBitmap ? [answer] : []);
  } catch (error) {
    const memory = error instanceof RangeError;
    page.postMessage({ id: data.id, refused: error instanceof Refused ? error.message : memory ? "memory" : "failed" });
  }
});
