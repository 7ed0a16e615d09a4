/** One photo on this device: its file, what is to be done to it, and the pictures made of it; one photo at a time. */

import { Unreadable, prepare, recut } from "../device/prepare.js";

/** @typedef {import("../device/prepare.js").Prepared} Prepared */
/** @typedef {import("../device/prepare.js").Progress} Progress */
/** @typedef {Omit<import("../device/prepare.js").Edits, "longest">} Edits */

/** A photo as it comes. @param {boolean} cutOut @returns {Edits} */
export const untouched = (cutOut) => ({ turns: 0, crop: null, cutOut, edge: 0 });

/** A phone has memory for one photo: whoever comes next waits. @type {Promise<unknown>} */
let line = Promise.resolve();

/**
 * Runs the work once all before it is over.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
function next(work) {
  const mine = line.then(work);
  line = mine.catch(() => undefined);
  return mine;
}

export class Photo {
  /** @param {File} file @param {Edits} edits @param {number} longest side in pixels that is of use */
  constructor(file, edits, longest) {
    this.file = file;
    this.edits = edits;
    this.longest = longest;
    /** Without tags, turned, cropped and scaled. @type {Prepared | null} */
    this.plain = null;
    /** Without what is behind the object, too; null as long as there is no such picture. @type {Prepared | null} */
    this.cut = null;
    /** Why this device cannot read the file, so that it can only be sent as it is: a code, or empty. */
    this.unreadable = "";
    /** Why there is no cut-out although one is wished for: a code, or empty. */
    this.why = "";
    /** What is being done now. @type {"" | "reading" | "cutting"} */
    this.doing = "";
    /** @type {Promise<void>} */
    this.work = Promise.resolve();
    this.round = 0;
  }

  /** The picture that would be sent; null as long as there is none, and where the file is sent as it is. */
  get picture() {
    return this.edits.cutOut && this.cut ? this.cut : this.plain;
  }

  /** What is sent. */
  get blob() {
    return this.picture?.blob ?? this.file;
  }

  /**
   * Makes the pictures anew after an edit; `tell` hears of each step. The last edit counts.
   * @param {() => void} tell
   * @param {Progress} [progress]
   */
  renew(tell, progress = () => undefined) {
    const round = ++this.round;
    const current = () => round === this.round;
    this.plain = this.cut = null;
    this.unreadable = "";
    this.#begin("reading", tell);
    this.work = next(async () => {
      if (!current()) return;
      try {
        const made = await prepare(this.file, { ...this.edits, cutOut: false, longest: this.longest }, progress);
        if (current()) this.plain = made;
      } catch (problem) {
        if (current()) this.unreadable = problem instanceof Unreadable ? problem.code : "failed";
      }
      if (!current()) return;
      this.#begin("", tell);
    }).then(() => (current() && this.plain ? this.cutOut(tell, progress) : undefined));
    return this.work;
  }

  /**
   * Cuts the object out, if that is wished for and not done.
   * @param {() => void} tell
   * @param {Progress} [progress]
   */
  cutOut(tell, progress = () => undefined) {
    if (!this.edits.cutOut || this.cut || !this.plain) return Promise.resolve();
    const round = this.round;
    this.why = "";
    this.#begin("cutting", tell);
    this.work = next(async () => {
      if (round !== this.round || !this.edits.cutOut) return;
      let why = "failed";
      try {
        const made = await prepare(this.file, { ...this.edits, longest: this.longest }, progress);
        if (made.cut === "done" && round === this.round) this.cut = made;
        why = made.cut === "done" ? "" : made.why || why;
      } catch {
        // The picture itself could be read: the server cuts out instead.
      }
      if (round === this.round) this.why = why;
    }).then(() => {
      if (round === this.round) this.#begin("", tell);
    });
    return this.work;
  }

  /** Lets go of the pictures, once they are sent: a list of photos would fill a phone's memory. */
  release() {
    this.plain = this.cut = null;
  }

  /** Moves the edge of the cut-out. @param {number} edge −1 to 1 @param {() => void} tell */
  async moveEdge(edge, tell) {
    this.edits.edge = edge;
    const [before, round] = [this.cut, this.round];
    if (!before) return;
    const made = await recut(before, edge);
    if (round !== this.round || this.edits.edge !== edge || made.cut !== "done") return;
    this.cut = made;
    tell();
  }

  /** Resolves once the last edit is carried out. */
  async ready() {
    for (let work = null; work !== this.work; ) {
      work = this.work;
      await work;
    }
  }

  /** A small picture of it for a list, or the file itself. @param {number} longest side in pixels @returns {Promise<Blob>} */
  small(longest) {
    const edits = { ...this.edits, cutOut: false, longest };
    return next(() => prepare(this.file, edits, () => undefined)).then((made) => made.blob, () => this.file);
  }

  /** All of it, turned but not cropped, to choose a part of. @returns {Promise<Prepared>} */
  whole() {
    return next(() => prepare(this.file, { ...this.edits, crop: null, cutOut: false, longest: 1280 }, () => undefined));
  }

  /** @param {Photo["doing"]} doing @param {() => void} tell */
  #begin(doing, tell) {
    this.doing = doing;
    tell();
  }
}
