/**
 * What leaves this device of a photo: its pixels, upright, at the size that is of use, with no tag; and, if that is
 * wanted and this device can, only those of its subject.
 *
 * The page says where the worker is, and the network: templates/generation/_device.html.
 */

import { ask, Failed, inTurn } from "./asking.js";
import { draw, NoPicture, write } from "./redraw.js";

/** @typedef {import("./tags.js").Tag} Tag */
/**
 * What a person wants of a picture.
 * @typedef {object} Edits
 * @property {0 | 1 | 2 | 3} turns quarter turns clockwise
 * @property {{x: number, y: number, w: number, h: number} | null} crop in 0..1 of the turned picture
 * @property {boolean} cutOut
 * @property {number} edge -1 (tighter) to 1 (wider)
 * @property {number} longest pixels of the longer side, at most
 * @property {boolean} [all] keep everything that stands out, not only the main subject
 */
/**
 * @typedef {object} Prepared
 * @property {Blob} blob JPEG, or PNG where something is transparent; no tags
 * @property {number} width pixels
 * @property {number} height
 * @property {Tag[]} tags what the file said beside its pixels
 * @property {"done" | "off" | "unavailable"} cut
 * @property {"" | "own" | "nothing" | "absent" | "network" | "slow" | "memory" | "worker" | "failed"} why "own" with
 *   "done": the picture came with transparency of its own; the others with "unavailable": nothing stands out, this site
 *   has no network for it, it could not be loaded, took too long, needed too much memory, workers do not work here,
 *   or anything else
 */
/** @typedef {(part: number, stage: "reading" | "loading" | "cutting" | "writing") => void} Progress part: 0 to 1 */

/**
 * This device cannot make a picture of the file; the file itself may still be sent. `code`: "pixels" (too many),
 * "kind" (no format we know), "damaged", "guarded" (the browser does not give pixels to pages), "slow", "memory".
 */
export class Unreadable extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** So long may each step take. */
const SECONDS = { tags: 10, draw: 30, write: 20, load: 30, cut: 30 };
const UNREADABLE = new Set(["pixels", "kind", "damaged", "guarded", "slow", "memory"]);
/** @type {Set<string>} */
const WHY = new Set(["nothing", "absent", "network", "slow", "memory", "worker"]);

/** Where each picture came from, to change its outline. @type {WeakMap<Prepared, {file: File, edits: Edits, key: number}>} */
const origins = new WeakMap();

/** What the page says. */
function page() {
  const { worker = "", weights = "", integrity = "" } = document.getElementById("device")?.dataset ?? {};
  return { worker, weights, integrity };
}

/**
 * Makes of a file what is to be sent. Throws Unreadable.
 * @param {File} file
 * @param {Edits} edits
 * @param {Progress} [progress]
 * @returns {Promise<Prepared>}
 */
export function prepare(file, edits, progress = () => {}) {
  return inTurn(async () => {
    progress(0, "reading");
    const tags = await tagsOf(file);
    progress(0.15, "reading");
    return pictureOf(file, edits, tags, progress);
  });
}

/**
 * All tags of a file.
 * @param {File} file
 * @returns {Promise<Tag[]>}
 */
export function readTags(file) {
  return inTurn(() => tagsOf(file));
}

/**
 * The same picture with its outline moved; the network is not asked again, unless the worker has forgotten the picture.
 * Throws Unreadable.
 * @param {Prepared} prepared
 * @param {number} edge -1 (tighter) to 1 (wider)
 * @returns {Promise<Prepared>}
 */
export async function recut(prepared, edge) {
  const origin = origins.get(prepared);
  if (!origin) return prepared; // not cut out by us: there is no outline to move
  const { file, key } = origin;
  const edits = { ...origin.edits, edge };
  return inTurn(async () => {
    try {
      const asked = { key, edge, all: edits.all ?? false };
      return keep({ ...prepared, ...(await ask(page().worker, "cut", asked, SECONDS.cut)) }, { file, edits, key });
    } catch {
      return pictureOf(file, edits, prepared.tags, () => {});
    }
  });
}

/** @param {Prepared} prepared @param {{file: File, edits: Edits, key: number}} origin */
function keep(prepared, origin) {
  origins.set(prepared, origin);
  return prepared;
}

/** @param {File} file */
async function tagsOf(file) {
  try {
    return await ask(page().worker, "tags", { file }, SECONDS.tags);
  } catch {
    return []; // a file that nobody can read in that time is redrawn all the same
  }
}

/**
 * @param {File} file
 * @param {Edits} edits
 * @param {Tag[]} tags
 * @param {Progress} progress
 * @returns {Promise<Prepared>}
 */
async function pictureOf(file, edits, tags, progress) {
  const { worker } = page();
  try {
    const drawn = await ask(worker, "draw", { file, shape: edits }, SECONDS.draw);
    /** @type {Prepared["why"]} */
    let why = "";
    if (edits.cutOut && !drawn.clear) {
      try {
        const subject = await subjectOf(drawn.key, edits, progress);
        progress(1, "writing");
        return keep({ ...subject, tags, cut: "done", why }, { file, edits, key: drawn.key });
      } catch (problem) {
        if (!(problem instanceof Failed)) throw problem;
        why = WHY.has(problem.code) ? /** @type {Prepared["why"]} */ (problem.code) : "failed";
      }
    }
    progress(0.9, "writing");
    const written = await writtenAgain(file, edits, drawn);
    progress(1, "writing");
    if (!edits.cutOut) return { ...written, tags, cut: "off", why };
    return drawn.clear ? { ...written, tags, cut: "done", why: "own" } : { ...written, tags, cut: "unavailable", why };
  } catch (problem) {
    if (!(problem instanceof Failed)) throw problem;
    if (UNREADABLE.has(problem.code)) throw new Unreadable(problem.code);
    return { ...(await withoutWorker(file, edits)), tags, cut: edits.cutOut ? "unavailable" : "off", why: "worker" };
  }
}

/** The subject alone. Throws Failed. @param {number} key @param {Edits} edits @param {Progress} progress */
async function subjectOf(key, edits, progress) {
  const { worker, weights, integrity } = page();
  if (!weights) throw new Failed("absent");
  progress(0.25, "loading");
  await soon(ask(worker, "load", { weights, integrity }, 0));
  progress(0.5, "cutting");
  return ask(worker, "cut", { key, edge: edits.edge, all: edits.all ?? false }, SECONDS.cut);
}

/** Waits for what the network brings, not for ever; it goes on coming, for the next photo. @param {Promise<unknown>} loading */
async function soon(loading) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Failed("slow")), 1000 * SECONDS.load);
  });
  try {
    await Promise.race([loading, late]);
  } finally {
    clearTimeout(timer);
    loading.catch(() => {});
  }
}

/**
 * The whole picture; drawn once more where the worker was ended meanwhile.
 * @param {File} file
 * @param {Edits} edits
 * @param {{key: number, transparent: boolean}} drawn
 */
async function writtenAgain(file, edits, { key, transparent }) {
  const { worker } = page();
  try {
    return await ask(worker, "write", { key, transparent }, SECONDS.write);
  } catch (problem) {
    if (!(problem instanceof Failed) || problem.code !== "gone") throw problem;
    const again = await ask(worker, "draw", { file, shape: edits }, SECONDS.draw);
    return ask(worker, "write", { key: again.key, transparent }, SECONDS.write);
  }
}

/** The whole picture, drawn here: slower to the touch, but no tag leaves. Throws Unreadable. @param {File} file @param {Edits} edits */
async function withoutWorker(file, edits) {
  try {
    const canvas = await draw(file, edits, null);
    const transparent = /png|webp|avif|hei/.test(file.type);
    return { blob: await write(canvas, transparent), width: canvas.width, height: canvas.height };
  } catch (problem) {
    throw new Unreadable(problem instanceof NoPicture ? problem.code : "damaged");
  }
}
