/** One format's row in the panel: its button saves, and stops what is being made; beside it size, progress and errors. */

import { show, size } from "../page.js";
import { word } from "../words.js";

/**
 * @template {Element} T
 * @param {ParentNode} place @param {string} selector @param {new () => T} kind
 * @returns {T}
 */
export function part(place, selector, kind) {
  const found = place.querySelector(selector);
  if (found instanceof kind) return found;
  throw new Error(`The panel has no ${selector}.`);
}

/** A row of the page. */
export class Row {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.format = element.dataset.format ?? "";
    this.file = element.dataset.file ?? "";
    this.button = part(element, "button", HTMLButtonElement);
    this.label = part(element, ".format-label", HTMLElement);
    this.tag = part(element, ".tag", HTMLElement);
    this.bar = part(element, "progress", HTMLProgressElement);
    this.error = part(element, ".error", HTMLElement);
    /** What was made, and of which wishes. @type {{ file: Blob, wishes: string } | null} */
    this.made = null;
    this.rest();
  }

  /** Ready to be asked. */
  rest() {
    this.button.disabled = false;
    this.say("save");
    show(this.bar, false);
  }

  /** @param {"save" | "cancel"} what */
  say(what) {
    this.label.textContent = word(what);
    this.button.setAttribute("aria-label", word(`${what}-file`, { file: this.file }));
  }

  /** Something is being made: this, or another. @param {boolean} mine */
  busy(mine) {
    this.button.disabled = !mine;
    if (!mine) return;
    this.say("cancel");
    this.complain("");
    this.bar.removeAttribute("value");
    show(this.bar, true);
  }

  /** @param {number} share from 0 to 1 */
  progress(share) {
    this.bar.value = share * 100;
  }

  /** @param {Blob} file @param {string} wishes */
  keep(file, wishes) {
    this.made = { file, wishes };
    this.tag.textContent = size(file.size);
    show(this.tag, true);
  }

  /** What was made of other wishes is let go. @param {string} wishes */
  forget(wishes) {
    if (!this.made || this.made.wishes === wishes) return;
    this.made = null;
    show(this.tag, false);
  }

  /** @param {string} sentence none: all is well */
  complain(sentence) {
    part(this.error, "span", HTMLElement).textContent = sentence;
    show(this.error, sentence !== "");
  }
}
