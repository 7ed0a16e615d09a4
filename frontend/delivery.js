/**
 * Delivery: the file is fetched once into this tab's memory, shown and saved from there, and acknowledged when the
 * whole of it has been opened here; the server then destroys its copy. Until it is saved, leaving is warned about.
 */

import { announce, byId, pause, show, size } from "./page.js";
import { moment } from "./times.js";
import { word } from "./words.js";

/** @typedef {import("./snapshot.js").Snapshot} Snapshot */

const FILE_NAME = "model.glb";
const PAUSES_MS = [1000, 3000];

/** The connection broke, or the file came short. */
class Broken extends Error {}

/**
 * The whole file, its length checked.
 * @param {string} address @param {number} expected bytes @param {(part: number) => void} progress
 */
async function fetchWhole(address, expected, progress) {
  const response = await fetch(address, { cache: "no-store" });
  if (!response.ok || !response.body) throw new Broken(String(response.status));
  const reader = response.body.getReader();
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  let received = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(/** @type {Uint8Array<ArrayBuffer>} */ (value));
    received += value.byteLength;
    progress(received / expected);
  }
  if (received !== expected) throw new Broken("short");
  return new Blob(parts, { type: "model/gltf-binary" });
}

/**
 * Tries again by itself, since a line that is lost often comes back at once; throws what the last try threw.
 * @template T @param {() => Promise<T>} what @returns {Promise<T>}
 */
async function persist(what) {
  for (const wait of PAUSES_MS) {
    try {
      return await what();
    } catch {
      await pause(wait);
    }
  }
  return await what();
}

/** One job's delivery in this tab. */
export class Delivery {
  /** @param {HTMLElement} job the page's element with the addresses @param {Snapshot} snapshot with an asset */
  constructor(job, snapshot) {
    this.job = job;
    this.snapshot = snapshot;
    this.acknowledged = false;
    this.saved = false;
    this.url = "";
    /** The whole file. */
    this.file = new Blob();
    /** Its viewer, once the model is seen. @type {import("./viewer.js").Viewer | null} */
    this.viewer = null;
    /** The person wants nothing of it: cancelling must not be warned about. */
    this.leaving = false;
    /** The library has it: closing the tab loses nothing. */
    this.kept = false;
    window.addEventListener("beforeunload", (event) => {
      if (this.acknowledged && !this.saved && !this.kept && !this.leaving) event.preventDefault();
    });
    document.addEventListener("mmi:kept", () => {
      this.kept = true;
      if (!this.saved) this.noteSave(word("keep-note"));
    });
    document.addEventListener("mmi:unkept", () => {
      this.kept = false;
      if (!this.saved) this.noteSave(word("before-closing"));
    });
    byId("save", HTMLButtonElement).addEventListener("click", () => this.save());
    // In another format it is saved as well.
    document.addEventListener("mmi:saved", () => {
      this.saved = true;
    });
  }

  /** Whether the whole file lies in this tab. */
  get complete() {
    return this.url !== "";
  }

  /** Fetches and shows; after a broken connection it offers to try again, since the server still has the file. */
  async start() {
    const asset = this.snapshot.asset;
    if (!asset) return;
    show(byId("scene-message", HTMLElement), false);
    show(byId("fetching", HTMLElement), true);
    let file;
    try {
      file = await persist(() =>
        fetchWhole(asset.url, asset.bytes, (part) => {
          byId("fetching-bar", HTMLProgressElement).value = part * 100;
          byId("fetching-percent", HTMLElement).textContent = `${Math.round(part * 100)} %`;
        }),
      );
    } catch {
      this.offerAgain();
      return;
    }
    this.url = URL.createObjectURL(file);
    this.file = file;
    const detail = { blob: file, job: this.snapshot.id, snapshot: this.snapshot };
    document.dispatchEvent(new CustomEvent("mmi:model", { detail }));
    const save = byId("save", HTMLButtonElement);
    save.disabled = false;
    this.noteSave(word("before-closing"));
    byId("fetching-label", HTMLElement).textContent = `${word("opening")} · ${size(file.size)}`;
    await this.open();
  }

  /** After a broken transfer. */
  offerAgain() {
    show(byId("fetching", HTMLElement), false);
    this.noteSave(word("not-here"));
    this.message(word("short"), this.button(word("again"), () => void this.start()));
  }

  /** @param {string} name @param {() => void} what */
  button(name, what) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = name;
    button.addEventListener("click", what);
    return button;
  }

  /** A sentence in the middle of the stage. @param {string} sentence @param {Element[]} more */
  message(sentence, ...more) {
    const place = byId("scene-message", HTMLElement);
    const text = document.createElement("span");
    text.textContent = sentence;
    place.replaceChildren(text, document.createElement("br"), ...more);
    show(place, true);
    announce(sentence);
  }

  /** Shows the file; when it has been opened, or cannot be shown at all, says what happens to our copy. */
  async open() {
    const scene = byId("scene", HTMLElement);
    show(byId("scene-message", HTMLElement), false);
    let module;
    try {
      module = await import(this.job.dataset.viewer ?? "");
    } catch {
      return this.notShown(word("no-viewer"), this.button(word("show-again"), () => void this.open()));
    }
    const { viewer, panel } = /** @type {typeof import("./viewer.js")} */ (module);
    const handle = viewer(this.file, word("model"), { printed: scene.dataset.printed !== "" });
    scene.prepend(handle.element);
    let facts;
    try {
      facts = await handle.ready;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      return this.notShown(word({ "no-webgl": "no-view", "too-much": "too-much", "too-long": "too-much" }[code] ?? "no-open"));
    }
    handle.element.addEventListener("viewer:lost", () => this.message(word("lost-view")));
    handle.element.addEventListener("viewer:back", () => show(byId("scene-message", HTMLElement), false));
    panel(handle, scene, facts, this.snapshot.id);
    this.viewer = handle;
    document.dispatchEvent(new CustomEvent("mmi:shown", { detail: { viewer: handle } }));
    for (const tools of scene.querySelectorAll("[data-tools]")) show(tools, true);
    show(byId("hints", HTMLElement), true);
    show(byId("fetching", HTMLElement), false);
    await this.acknowledge();
  }

  /** The file is here, its picture is not: saving it ends our copy. @param {string} sentence @param {Element[]} more */
  notShown(sentence, ...more) {
    show(byId("fetching", HTMLElement), false);
    if (!this.acknowledged) this.claim(word("in-tab"), word("save-to-destroy"));
    this.message(sentence, ...more);
  }

  /** Tells the server that the file is here, until it has heard. */
  async acknowledge() {
    if (this.acknowledged) return;
    this.acknowledged = true;
    this.claim(word("in-tab"), word("destroying"));
    for (const cancel of document.querySelectorAll("#cancel")) cancel.remove();
    for (let wait = 1000; ; wait = Math.min(30_000, wait * 2)) {
      try {
        const response = await fetch(this.job.dataset.acknowledge ?? "", {
          method: "POST",
          headers: { Accept: "application/json", "X-CSRFToken": this.job.dataset.token ?? "" },
        });
        if (response.ok || response.status === 404) return;
      } catch {
        // no connection: ask again below
      }
      const expires = this.snapshot.expires_at;
      this.claim(word("in-tab"), word("ours-waits", { time: expires ? moment(new Date(expires)) : "" }));
      await pause(wait);
    }
  }

  /** Saves from memory, as often as wanted. */
  save() {
    const link = document.createElement("a");
    link.href = this.url;
    link.download = FILE_NAME;
    link.click();
    this.saved = true;
    document.dispatchEvent(new CustomEvent("mmi:saved", { detail: { job: this.snapshot.id } }));
    this.noteSave(word("saved"));
    announce(word("saved"));
    void this.acknowledge();
  }

  /** The sentence under the button. @param {string} sentence */
  noteSave(sentence) {
    byId("save-note", HTMLElement).textContent = sentence;
  }

  /** The page's headline and the sentence under it. @param {string} headline @param {string} sentence */
  claim(headline, sentence) {
    const claim = byId("claim", HTMLElement);
    const title = document.createElement("h1");
    title.textContent = headline;
    const lead = document.createElement("p");
    lead.className = "lead";
    lead.textContent = sentence;
    claim.replaceChildren(title, lead);
    announce(`${headline.replace(/[.。]$/, "")}. ${sentence}`);
  }
}
