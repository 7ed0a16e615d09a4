/**
 * The page's side of the worker that makes files: asks it, waits for the answer, and ends it when a person cancels or
 * nothing comes for too long. A worker that was ended is started again, and given the file again, when it is next asked.
 */

import { Refused } from "./glb.js";

/** @typedef {import("./sizes.js").Print} Print */
/** @typedef {{ size: number[], triangles: number }} Facts in metres, along x, y and z */

/** A hostile file can keep a reader busy for ever. */
const PATIENCE_MS = 90_000;

/** One file's workshop. Each promise is rejected with `Refused`, whose message names a sentence. */
export class Workshop {
  /** @param {Blob} file @param {string} script the worker's address */
  constructor(file, script) {
    this.file = file;
    this.script = script;
    /** @type {Worker | null} */
    this.worker = null;
    /** @type {Map<number, { resolve: (answer: any) => void, reject: (why: Refused) => void, alarm: number }>} */
    this.waiting = new Map();
    this.asked = 0;
    /** @type {Promise<Facts> | null} */
    this.opening = null;
  }

  /** @param {Record<string, unknown>} question @param {Transferable[]} transfer @returns {Promise<any>} */
  ask(question, transfer = []) {
    if (!this.worker) {
      const worker = new Worker(this.script, { type: "module" });
      worker.addEventListener("message", ({ data }) => this.answered(data));
      // Its script could not be fetched, or it ran out of memory.
      worker.addEventListener("error", () => this.stop(navigator.onLine ? "failed" : "offline"));
      this.worker = worker;
    }
    const id = ++this.asked;
    const { worker } = this;
    return new Promise((resolve, reject) => {
      const alarm = window.setTimeout(() => this.stop("slow"), PATIENCE_MS);
      this.waiting.set(id, { resolve, reject, alarm });
      worker.postMessage({ id, ...question }, transfer);
    });
  }

  /** @param {{ id: number, answer?: unknown, refused?: string }} said */
  answered({ id, answer, refused }) {
    const waits = this.waiting.get(id);
    if (!waits) return;
    this.waiting.delete(id);
    window.clearTimeout(waits.alarm);
    if (refused) waits.reject(new Refused(refused));
    else waits.resolve(answer);
  }

  /** Ends the worker; whatever was asked is refused for that reason. @param {string} why */
  stop(why) {
    this.worker?.terminate();
    this.worker = null;
    this.opening = null;
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject, alarm } of waiting) {
      window.clearTimeout(alarm);
      reject(new Refused(why));
    }
  }

  /** Opens the file, once. @returns {Promise<Facts>} */
  open() {
    this.opening ??= this.ask({ ask: "open", file: this.file });
    return this.opening;
  }

  /** @param {string} format @param {Print | null} print of formats that are printed @returns {Promise<Blob>} */
  async make(format, print) {
    await this.open();
    return this.ask({ ask: "make", format, print });
  }

  /**
   * A picture from a turntable.
   * @param {number} turn from 0 to 1 @param {number} width in pixels @param {number} height
   * @returns {Promise<ImageBitmap>}
   */
  async frameAt(turn, width, height) {
    await this.open();
    return this.ask({ ask: "frame", turn, width, height });
  }

  /** Begins a GIF. @param {ImageBitmap[]} small frames from all round @param {number} delay in milliseconds */
  gif(small, delay) {
    return this.ask({ ask: "gif", small, delay }, small);
  }

  /** @param {ImageBitmap} frame */
  add(frame) {
    return this.ask({ ask: "add", frame }, [frame]);
  }

  /** @returns {Promise<Blob>} */
  end() {
    return this.ask({ ask: "end" });
  }
}
