/** The sides of one object as tiles: each shows its photo, takes one by pick or drop, and gives it to a neighbour. */

import { objection } from "../files.js";
import { complainAt } from "../options.js";
import { announce, show } from "../page.js";
import { word } from "../words.js";
import * as sides from "./sides.js";

/** What is dragged from tile to tile: a private type, so that no other page’s text is taken for it. */
const DRAGGED = "application/x-mmi-side";

/** A tile with its parts. @typedef {{tile: HTMLElement, view: string, said: string, input: HTMLInputElement | null}} Tile */

/** @returns {Tile[]} */
function tiles() {
  return Array.from(document.querySelectorAll("[data-view]")).flatMap((tile) =>
    tile instanceof HTMLElement
      ? [{ tile, view: tile.dataset.view ?? "", said: tile.dataset.said ?? "", input: tile.querySelector("input") }]
      : [],
  );
}

/** Addresses of the pictures that tiles show, by tile. @type {Map<HTMLElement, {blob: Blob, address: string}>} */
const drawn = new Map();

/** Shows a blob in a tile, or nothing. @param {HTMLElement} tile @param {Blob | null} blob */
function picture(tile, blob) {
  const before = drawn.get(tile);
  const image = tile.querySelector("img");
  if (before?.blob === blob || !image) return;
  if (before) URL.revokeObjectURL(before.address);
  drawn.delete(tile);
  show(image, false);
  if (!blob) {
    image.removeAttribute("src");
    return;
  }
  const address = URL.createObjectURL(blob);
  drawn.set(tile, { blob, address });
  image.src = address;
}

/** Brings a tile up to date. @param {Tile} one */
function draw({ tile, view, input }) {
  const photo = sides.at(view);
  tile.classList.toggle("chosen", photo !== null);
  tile.classList.toggle("shown", photo !== null && sides.shown() === view);
  const label = tile.querySelector("label");
  if (label) show(label, photo === null);
  if (input) show(input, photo === null);
  for (const button of tile.querySelectorAll("button")) show(button, photo !== null);
  tile.querySelector("[data-face]")?.setAttribute("aria-pressed", String(photo !== null && sides.shown() === view));
  for (const button of tile.querySelectorAll("[data-step]")) {
    const to = sides.neighbour(view, Number(button.getAttribute("data-step")));
    /** @type {HTMLButtonElement} */ (button).disabled = to === null;
  }
  picture(tile, photo ? (photo.picture?.blob ?? photo.file) : null);
}

/**
 * Keeps the tiles true to the photos. `add` puts a file at a side.
 * @param {number} limit in megabytes
 * @param {(side: string, file: File) => void} add
 */
export function keepTiles(limit, add) {
  const all = tiles();
  for (const one of all) listen(one, limit, add);
  const update = () => {
    document.getElementById("views")?.classList.toggle("with-front", sides.taken().length > 1);
    all.forEach(draw);
  };
  sides.onChange(update);
  update();
  window.addEventListener("pagehide", () => {
    for (const { address } of drawn.values()) URL.revokeObjectURL(address);
  });
}

/** @param {Tile} one @param {number} limit @param {(side: string, file: File) => void} add */
function listen({ tile, view, said, input }, limit, add) {
  const take = (/** @type {File} */ file) => {
    const why = objection(file, limit);
    if (input) complainAt(input.name, why);
    if (why) return announce(why);
    add(view, file);
    announce(word("view-added", { photo: said }));
  };
  input?.addEventListener("change", (event) => {
    event.stopPropagation(); // the form hears of the photo once it is taken
    const file = input.files?.[0];
    input.value = "";
    if (file) take(file);
  });
  const image = tile.querySelector("img");
  image?.addEventListener("load", () => show(image, true));
  tile.querySelector("[data-face]")?.addEventListener("click", () => sides.select(view));
  tile.querySelector("[data-remove]")?.addEventListener("click", () => {
    sides.remove(view);
    announce(word("view-removed", { photo: said }));
    input?.focus();
  });
  for (const button of tile.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => {
      const to = sides.neighbour(view, Number(button.getAttribute("data-step")));
      if (to) move(view, to, button.getAttribute("data-step") ?? "");
    });
  }
  tile.addEventListener("dragstart", (event) => {
    if (!sides.at(view)) return event.preventDefault();
    event.dataTransfer?.setData(DRAGGED, view);
  });
  tile.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes(DRAGGED)) event.preventDefault();
  });
  tile.addEventListener("drop", (event) => {
    const from = event.dataTransfer?.getData(DRAGGED);
    const file = event.dataTransfer?.files[0];
    if (from && tiles().some((each) => each.view === from)) {
      event.preventDefault();
      move(from, view, "");
    } else if (file) take(file);
  });
}

/** Moves a photo, says so, and leaves the focus on it. @param {string} from @param {string} to @param {string} step */
function move(from, to, step) {
  sides.exchange(from, to);
  const there = tiles().find(({ view }) => view === to);
  if (!there || !sides.at(to)) return;
  announce(word("view-moved", { photo: there.said }));
  const [again, face] = [there.tile.querySelector(`[data-step="${step}"]`), there.tile.querySelector("[data-face]")];
  const focused = again instanceof HTMLButtonElement && !again.disabled ? again : face;
  if (step && focused instanceof HTMLElement) focused.focus();
}
