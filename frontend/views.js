/** The photos from other sides: each field keeps its own file; this shows it, says what is wrong, takes it away. */

import { objection } from "./files.js";
import { complainAt } from "./options.js";
import { announce, show } from "./page.js";
import { word } from "./words.js";

/** The fields, each in its tile. @returns {{tile: HTMLElement, input: HTMLInputElement}[]} */
function fields() {
  return Array.from(document.querySelectorAll("[data-view]")).flatMap((tile) => {
    const input = tile.querySelector("input");
    return tile instanceof HTMLElement && input ? [{ tile, input }] : [];
  });
}

/**
 * The photos that were added, by the name of their field; null where there is none.
 * @returns {Map<string, File | null>}
 */
export function morePhotos() {
  return new Map(fields().map(({ input }) => [input.name, input.files?.[0] ?? null]));
}

/** Shows what a field holds. @param {HTMLElement} tile @param {HTMLInputElement} input */
function draw(tile, input) {
  const picture = tile.querySelector("img");
  const file = input.files?.[0];
  tile.classList.toggle("chosen", file !== undefined);
  for (const button of tile.querySelectorAll("button")) show(button, file !== undefined);
  if (!picture) return;
  if (picture.src) URL.revokeObjectURL(picture.src);
  show(picture, false);
  if (file) picture.src = URL.createObjectURL(file);
  else picture.removeAttribute("src");
}

/**
 * Keeps the tiles true to their fields. A file that is dropped on a tile goes there.
 * @param {number} limit in megabytes
 */
export function keepViews(limit) {
  for (const { tile, input } of fields()) {
    const said = tile.dataset.said ?? "";
    const changed = () => {
      const file = input.files?.[0];
      const why = file ? objection(file, limit) : "";
      if (why) input.value = "";
      complainAt(input.name, why);
      draw(tile, input);
      if (why) announce(why);
      else announce(word(file ? "view-added" : "view-removed", { photo: said }));
    };
    // Before the form hears of it: a file that cannot be sent is no choice.
    input.addEventListener("change", changed);
    tile.querySelector("button")?.addEventListener("click", () => {
      input.value = "";
      input.dispatchEvent(new Event("change", { bubbles: true }));
      input.focus();
    });
    tile.addEventListener("drop", (event) => {
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      const held = new DataTransfer();
      held.items.add(file);
      input.files = held.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
    const picture = tile.querySelector("img");
    picture?.addEventListener("load", () => show(picture, true));
    draw(tile, input);
  }
}
