/** The photos of one object, by the side that they show; the front comes first, and is there if any is. */

import { Photo } from "./photo.js";

export const FRONT = "front";

/** @type {Map<string, Photo>} */
const photos = new Map();
/** @type {Set<() => void>} */
const listeners = new Set();
let selected = FRONT;

/** Sides that somebody here takes, in the page's order, by view, with the names of their fields. @returns {Map<string, string>} */
export function fields() {
  const found = new Map([[FRONT, "photo"]]);
  for (const tile of document.querySelectorAll("[data-view]")) {
    const input = tile.querySelector("input");
    if (input) found.set(tile.getAttribute("data-view") ?? "", input.name);
  }
  return found;
}

/** Calls back after each change. @param {() => void} listener */
export function onChange(listener) {
  listeners.add(listener);
}

/** Tells everybody who listens. */
export function tell() {
  for (const listener of listeners) listener();
}

/** The photo of a side. @param {string} side */
export const at = (side) => photos.get(side) ?? null;

/** The sides that have one, in the page's order. */
export const taken = () => [...fields().keys()].filter((side) => photos.has(side));

/** The side that is shown large. */
export const shown = () => selected;

/** Shows a side large. @param {string} side */
export function select(side) {
  selected = side;
  tell();
}

/**
 * Puts a file at a side, in place of what was there, and begins to work on it.
 * @param {string} side
 * @param {File} file
 * @param {{longest: number, edits: import("./photo.js").Edits, progress?: import("./photo.js").Progress}} how
 */
export function put(side, file, { longest, edits, progress }) {
  const photo = new Photo(file, edits, longest);
  photos.set(side, photo);
  selected = side;
  void photo.renew(tell, progress);
  return photo;
}

/** Takes a photo away; where the front goes, the next one takes its place. @param {string} side */
export function remove(side) {
  photos.delete(side);
  const heir = taken().at(0);
  if (side === FRONT && heir) exchange(heir, FRONT);
  selected = FRONT;
  tell();
}

/** Takes all away. */
export function clear() {
  photos.clear();
  selected = FRONT;
  tell();
}

/** The side at which a photo would be after so many steps; null where it cannot go. @param {string} side @param {number} step */
export function neighbour(side, step) {
  const all = [...fields().keys()];
  const next = all[all.indexOf(side) + step];
  if (!next || !photos.has(side)) return null;
  return photos.has(next) || side !== FRONT ? next : null; // the front is never left empty
}

/** Puts the photo of one side at another, and that one’s here. @param {string} from @param {string} to */
export function exchange(from, to) {
  const [mine, other] = [photos.get(from), photos.get(to)];
  if (!mine || from === to || (!other && from === FRONT)) return;
  photos.set(to, mine);
  if (other) photos.set(from, other);
  else photos.delete(from);
  selected = to;
  tell();
}
