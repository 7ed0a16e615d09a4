/**
 * The panel of other formats: each is made in this tab when it is asked for, and saved. One at a time; what is being made
 * can be stopped. Nothing is asked of the server.
 */

import { announce, byId, show, size } from "../page.js";
import { word } from "../words.js";
import { Refused } from "./glb.js";
import { PrintSize } from "./printsize.js";
import { Row } from "./row.js";
import { films, gif, record } from "./turning.js";
import { Workshop } from "./workshop.js";

/** @typedef {import("./frames.js").FrameAt} FrameAt */

const PRINTED = new Set(["stl", "3mf"]);
const TURNING = new Set(["gif", "mp4", "webm"]);
/** How long a browser may take to copy what it saves. */
const SAVING_MS = 60_000;
/** Gigabytes; with less, the largest films are not offered. */
const ENOUGH_MEMORY = 4;
const LARGE_PX = 1080;

/** Saves a file from this tab's memory. @param {Blob} file @param {string} name */
function save(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), SAVING_MS);
}

/** The panel while there is a file. */
export class Panel {
  /**
   * @param {HTMLDetailsElement} area @param {Blob} file the GLB
   * @param {FrameAt} [frameAt] who draws turntables; without it, the workshop does
   */
  constructor(area, file, frameAt) {
    this.workshop = new Workshop(file, area.dataset.worker ?? "");
    this.frameAt = frameAt ?? this.workshop.frameAt.bind(this.workshop);
    this.films = films();
    this.rows = Array.from(area.querySelectorAll("[data-format]"), (row) => new Row(/** @type {HTMLElement} */ (row)));
    this.print = new PrintSize(() => this.forget());
    /** Ends what is being made. @type {AbortController | null} */
    this.making = null;
    for (const row of this.rows) {
      if (["mp4", "webm"].includes(row.format)) {
        show(row.element, this.films.some(({ suffix }) => suffix === row.format));
      }
      row.button.addEventListener("click", ({ detail }) => {
        // The second half of a double click is no wish to stop.
        if (detail < 2) void this.pressed(row);
      });
    }
    const memory = /** @type {{ deviceMemory?: number }} */ (navigator).deviceMemory ?? ENOUGH_MEMORY;
    for (const choice of area.querySelectorAll("[name='turn-px']")) {
      if (!(choice instanceof HTMLInputElement)) continue;
      choice.disabled = Number(choice.value) >= LARGE_PX && memory < ENOUGH_MEMORY;
      choice.addEventListener("change", () => this.forget());
    }
    // The worker's script could not be fetched, say: opening the panel again tries again.
    area.addEventListener("toggle", () => {
      if (area.open && !this.workshop.opening) void this.open();
    });
    void this.open();
  }

  /** Opens the file, so that it is ready when something is asked for, and its size is known. */
  async open() {
    const note = byId("formats-note", HTMLElement);
    note.textContent = word("formats-opening");
    try {
      this.print.measured(await this.workshop.open());
      note.textContent = word("formats-ready");
    } catch (error) {
      note.textContent = word(`refused-${error instanceof Refused ? error.message : "failed"}`);
      announce(note.textContent);
    }
  }

  /** The wishes that a format depends on. @param {string} format */
  wishes(format) {
    if (PRINTED.has(format)) return JSON.stringify(this.print.chosen);
    return TURNING.has(format) ? String(this.width) : "";
  }

  /** The width of a turntable, in pixels. */
  get width() {
    return Number(document.querySelector("[name='turn-px']:checked")?.getAttribute("value"));
  }

  /** Wishes have changed. */
  forget() {
    for (const row of this.rows) row.forget(this.wishes(row.format));
  }

  /** @param {Row} row */
  async pressed(row) {
    if (this.making) {
      this.making.abort(new Refused("cancelled"));
      this.workshop.stop("cancelled");
      return;
    }
    if (PRINTED.has(row.format) && !this.print.demand()) return;
    const wishes = this.wishes(row.format);
    if (row.made?.wishes !== wishes) await this.make(row, wishes);
    if (row.made?.wishes !== wishes) return;
    save(row.made.file, row.file);
    announce(word("made", { file: row.file, size: size(row.made.file.size) }));
    if (TURNING.has(row.format)) return; // a picture of the model is not the model
    document.dispatchEvent(new CustomEvent("mmi:saved", { detail: { format: row.format } }));
  }

  /** @param {Row} row @param {string} wishes */
  async make(row, wishes) {
    this.making = new AbortController();
    for (const each of this.rows) each.busy(each === row);
    announce(word("making", { file: row.file }));
    try {
      row.keep(await this.produced(row, this.making.signal), wishes);
    } catch (error) {
      const why = error instanceof Refused ? error.message : "failed";
      // Who stopped it knows, and has nothing to mend.
      if (why !== "cancelled") row.complain(word(`refused-${why}`));
      announce(word(`refused-${why}`));
    }
    this.making = null;
    for (const each of this.rows) each.rest();
  }

  /** @param {Row} row @param {AbortSignal} signal */
  produced(row, signal) {
    const { format } = row;
    const how = { width: this.width, progress: row.progress.bind(row), signal };
    const film = this.films.find(({ suffix }) => suffix === format);
    if (film) return record(this.frameAt, film, how);
    if (format === "gif") return gif(this.frameAt, this.workshop, how);
    return this.workshop.make(format, this.print.chosen);
  }
}
