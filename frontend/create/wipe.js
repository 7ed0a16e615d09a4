/** The divider between a photo and its cut-out: dragged, pressed at, or moved by the arrow keys. */

import { byId } from "../page.js";
import { word } from "../words.js";
import { place } from "./place.js";

const AT_FIRST = 58;
const STEP = 5;

let at = AT_FIRST;

/** Puts the divider at a part of the picture’s width. @param {number} percent cut-out to the left of it */
function put(percent) {
  at = Math.round(Math.min(100, Math.max(0, percent)));
  place("wipe", at);
  const handle = byId("wipe", HTMLElement);
  handle.setAttribute("aria-valuenow", String(at));
  handle.setAttribute("aria-valuetext", word("wiped", { n: at }));
}

/** Shows the cut-out by moving the divider over the photo once. */
export function wipe() {
  const picture = byId("picture", HTMLElement);
  put(0);
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      picture.classList.add("wiping");
      put(AT_FIRST);
      window.setTimeout(() => picture.classList.remove("wiping"), 260);
    }),
  );
}

/** Listens to pointer and keys. `free` says whether there is something to wipe. @param {() => boolean} free */
export function keepWipe(free) {
  const picture = byId("picture", HTMLElement);
  const handle = byId("wipe", HTMLElement);
  const follow = (/** @type {PointerEvent} */ event) => {
    const box = picture.getBoundingClientRect();
    put((100 * (event.clientX - box.left)) / box.width);
  };
  picture.addEventListener("pointerdown", (event) => {
    if (!free() || !event.isPrimary || event.button !== 0) return;
    picture.setPointerCapture(event.pointerId);
    follow(event);
  });
  picture.addEventListener("pointermove", (event) => {
    if (picture.hasPointerCapture(event.pointerId)) follow(event);
  });
  handle.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, Home: -100, End: 100 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    put(at + step);
  });
  put(AT_FIRST);
}
