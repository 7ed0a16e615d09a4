/** The fields for printing: how long the longest side becomes, by number or by preset, and which axis points upwards. */

import { byId, show } from "../page.js";
import { word } from "../words.js";
import { LEAST_MM, MOST_MM, printable, sides, usualLength } from "./sizes.js";

/** The fields, kept true to each other. */
export class PrintSize {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.length = byId("print-length", HTMLInputElement);
    this.upright = byId("print-upright", HTMLInputElement);
    this.error = byId("print-length-error", HTMLElement);
    /** In metres, Y up. @type {number[] | null} */
    this.size = null;
    /** Whether the length is a person's own, which the file's must not replace. */
    this.own = false;
    this.presets = Array.from(document.querySelectorAll("[data-millimetres]"));
    for (const preset of this.presets) {
      preset.addEventListener("click", () => {
        this.length.value = preset.getAttribute("data-millimetres") ?? "";
        this.own = true;
        this.show();
      });
    }
    this.length.addEventListener("input", () => {
      this.own = true;
      this.show();
    });
    this.upright.addEventListener("change", () => this.show());
  }

  /** @returns {import("./sizes.js").Print} */
  get chosen() {
    return { longest: this.length.valueAsNumber, up: this.upright.checked ? "z" : "y" };
  }

  /** The file has been measured. @param {import("./workshop.js").Facts} facts */
  measured({ size }) {
    this.size = size;
    if (!this.own) this.length.value = String(usualLength(Math.max(...size)));
    this.show();
  }

  /** Shows what the wishes come to. */
  show() {
    const { longest } = this.chosen;
    for (const preset of this.presets) {
      preset.setAttribute("aria-pressed", String(Number(preset.getAttribute("data-millimetres")) === longest));
    }
    const format = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
    const known = this.size && printable(longest);
    const [x, y, z] = known ? sides(/** @type {number[]} */ (this.size), this.chosen).map(format.format) : [];
    byId("print-sides", HTMLElement).textContent = known ? word("sides", { x, y, z }) : "";
    if (printable(longest)) this.complain(false);
    this.changed();
  }

  /** Whether the length can be printed; if not, says so at the field and goes there. */
  demand() {
    const good = printable(this.length.valueAsNumber);
    this.complain(!good);
    if (!good) this.length.focus();
    return good;
  }

  /** @param {boolean} wrong */
  complain(wrong) {
    if (wrong) this.length.setAttribute("aria-invalid", "true");
    else this.length.removeAttribute("aria-invalid");
    const sentence = this.error.querySelector("span");
    if (sentence) sentence.textContent = word("length-wrong", { least: LEAST_MM, most: MOST_MM });
    show(this.error, wrong);
  }
}
