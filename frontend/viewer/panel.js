/**
 * The controls around a viewer: looks and lights are radio buttons, actions are buttons, each reached by keyboard. They
 * are part of the page (`data-command` names what each does); what this page lacks is left out.
 */

import { Refused } from "../exports/glb.js";
import { announce, show as toggle } from "../page.js";
import { word } from "../words.js";
import { LOOKS } from "./looks.js";
import { kept, loaded } from "./photo.js";
import { enter, means, quickLook, usdzOf } from "./room.js";

/** @typedef {import("../viewer.js").Viewer} Viewer */

const PICTURE_NAME = "model.png";

/** Saves a file that lies in memory. @param {Blob} file @param {string} name */
function save(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The controls of one viewer. */
class Panel {
  /** @param {Viewer} handle @param {HTMLElement} root the stage with the controls in it @param {string} job whose photo may be kept here */
  constructor(handle, root, job) {
    this.handle = handle;
    this.root = root;
    this.job = job;
    this.making = false;
    /** How many photos were asked for; the newest is shown, whichever is there first. */
    this.photos = 0;
    /** The file for Quick Look, once it was asked for. @type {Blob | undefined} */
    this.usdz = undefined;
    /** @type {Record<string, () => unknown>} */
    this.commands = {
      turning: () => this.turn(),
      measures: () => this.measure(),
      photo: () => this.compare(),
      picture: () => this.picture(),
      full: () => this.full(),
      room: () => this.room(),
      help: () => this.fold("help"),
    };
    root.addEventListener("click", (event) => this.click(event));
    root.addEventListener("change", (event) => this.choose(event));
    root.addEventListener("keydown", (event) => this.escape(event));
    handle.element.addEventListener("viewer:command", (event) => this.run(/** @type {CustomEvent<string>} */ (event).detail));
    document.addEventListener("click", (event) => {
      for (const fold of this.all("details[open]")) {
        if (event.target instanceof Node && !fold.contains(event.target)) fold.removeAttribute("open");
      }
    });
    // Where nothing may move by itself, there is nothing to switch on.
    if (handle.stage?.still) this.hide("turning");
    if (!document.fullscreenEnabled) this.hide("full");
    document.addEventListener("fullscreenchange", () => {
      const full = document.fullscreenElement === root;
      this.press("full", full);
      handle.canvas.style.touchAction = full ? "none" : "pan-y";
    });
  }

  /** @param {string} selector @returns {HTMLElement[]} */
  all(selector) {
    return Array.from(this.root.querySelectorAll(selector));
  }

  /** @param {string} name */
  hide(name) {
    for (const button of this.all(`[data-command="${name}"]`)) toggle(button.closest("li") ?? button, false);
  }

  /** @param {string} name @param {boolean} on */
  press(name, on) {
    for (const button of this.all(`[data-command="${name}"][aria-pressed]`)) button.setAttribute("aria-pressed", String(on));
  }

  /** @param {string} name */
  run(name) {
    const number = /^look-(\d)$/.exec(name)?.[1];
    if (number) {
      const radio = this.all(`input[name="look"][value="${LOOKS[Number(number) - 1]}"]`)[0];
      if (radio instanceof HTMLInputElement && !radio.disabled) radio.click();
      return;
    }
    if (!this.handle.run(name)) void this.commands[name]?.();
  }

  /** @param {Event} event */
  click(event) {
    const button = event.target instanceof Element ? event.target.closest("[data-command]") : null;
    if (button instanceof HTMLElement) this.run(button.dataset.command ?? "");
  }

  /** @param {Event} event */
  choose({ target }) {
    if (!(target instanceof HTMLInputElement)) return;
    if (target.name === "look") this.handle.setLook(/** @type {import("./looks.js").Look} */ (target.value));
    if (target.name === "light") this.handle.setLight(/** @type {import("./lights.js").Light} */ (target.value));
    if (target.type === "file" && target.files?.[0]) void this.bring(target.files[0]);
  }

  /** @param {KeyboardEvent} event */
  escape(event) {
    const fold = event.target instanceof Element ? event.target.closest("details[open]") : null;
    if (event.key !== "Escape" || !fold) return;
    fold.removeAttribute("open");
    fold.querySelector("summary")?.focus();
  }

  /** Opens or closes what is folded away under that name, and goes there. @param {string} name */
  fold(name) {
    const fold = this.all(`details[data-fold="${name}"]`)[0];
    if (!(fold instanceof HTMLDetailsElement)) return;
    fold.open = !fold.open;
    fold.querySelector("summary")?.focus();
  }

  turn() {
    this.handle.setTurning(!this.handle.turning);
    this.press("turning", this.handle.turning);
  }

  measure() {
    this.handle.setMeasured(!this.handle.measured);
    this.press("measures", this.handle.measured);
    const sentence = this.handle.measured ? word("measured", this.handle.measures()) : "";
    for (const place of this.all("[data-measures]")) {
      place.textContent = sentence;
      toggle(place, this.handle.measured);
    }
    if (sentence) announce(sentence);
  }

  async picture() {
    try {
      save(await this.handle.picture(), PICTURE_NAME);
      announce(word("picture-saved"));
    } catch {
      announce(word("no-picture"));
    }
  }

  async full() {
    try {
      await (document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen());
    } catch {
      announce(word("no-full"));
    }
  }

  /** The photo beside the model, or no longer. */
  async compare() {
    const side = this.all("[data-photo]")[0];
    const image = side?.querySelector("img");
    if (!side || !image) return;
    toggle(side, Boolean(side.hidden));
    this.press("photo", !side.hidden);
    this.root.classList.toggle("comparing", !side.hidden);
    if (side.hidden || image.src) return;
    const mine = ++this.photos;
    const photo = this.job ? await kept(this.job) : null;
    if (photo && mine === this.photos) await this.bring(photo);
  }

  /** Shows a photo beside the model, or says that it is none. @param {Blob} photo */
  async bring(photo) {
    const [side] = this.all("[data-photo]");
    const image = side.querySelector("img");
    const trouble = this.all("[data-photo-trouble]")[0];
    if (!image) return;
    const mine = ++this.photos;
    const url = await loaded(photo).catch(() => "");
    if (mine !== this.photos) return URL.revokeObjectURL(url);
    if (image.src) URL.revokeObjectURL(image.src);
    if (url) image.src = url;
    else image.removeAttribute("src");
    toggle(image, url !== "");
    trouble.textContent = url ? "" : word("no-photo");
    side.classList.toggle("filled", url !== "");
  }

  /** Offers one's own room where the device has it. */
  async offerRoom() {
    this.means = await means();
    for (const button of this.all('[data-command="room"]')) toggle(button.closest("li") ?? button, this.means !== "");
  }

  async room() {
    if (this.making) return;
    const { handle } = this;
    const over = this.all("[data-over-room]")[0];
    this.say("");
    try {
      if (this.means === "quick-look") await this.lookQuickly();
      else if (handle.stage && over) {
        toggle(over, true);
        await enter(handle.stage, over);
      }
    } catch {
      this.say(word("no-room"));
    } finally {
      if (over) toggle(over, false);
    }
  }

  /** Makes the file for Quick Look, once, and hands it over; says that it is being made, or why it cannot be. */
  async lookQuickly() {
    const { file } = this.handle;
    const script = this.all("[data-exports]")[0]?.dataset.exports;
    if (!file || !script) return;
    this.making = true;
    try {
      if (!this.usdz) this.say(word("room-making"));
      this.usdz ??= await usdzOf(file, script);
      quickLook(this.usdz);
      this.say("");
    } catch (error) {
      this.say(word(error instanceof Refused && error.message === "offline" ? "room-offline" : "no-room-file"));
    } finally {
      this.making = false;
    }
  }

  /** A sentence about the room, over the picture until the next; none when empty. @param {string} sentence */
  say(sentence) {
    const [place] = this.all("[data-room-said]");
    if (!place) return;
    place.textContent = sentence;
    toggle(place, sentence !== "");
    announce(sentence);
  }
}

/**
 * Ties the controls inside `root` to a viewer that is ready.
 * @param {Viewer} handle @param {HTMLElement} root @param {import("../viewer.js").Facts} facts @param {string} [job]
 */
export function panel(handle, root, facts, job = "") {
  const tied = new Panel(handle, root, job);
  for (const radio of tied.all('input[value="checker"]')) {
    if (radio instanceof HTMLInputElement) radio.disabled = !facts.mapped;
  }
  for (const reason of tied.all("[data-unmapped]")) toggle(reason, !facts.mapped);
  void tied.offerRoom();
}
