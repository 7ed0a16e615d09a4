/** Choosing the part of a photo that is kept: a frame to drag by its corners or as a whole, and four sliders for its sides. */

import { byId, show } from "../page.js";
import { WHOLE, moved, orWhole, sideOf, sided } from "./rectangle.js";

/** @typedef {import("./rectangle.js").Rectangle} Rectangle */
/** @typedef {import("./rectangle.js").Side} Side */

const DRAWING = "http://www.w3.org/2000/svg";
/** @type {Record<string, Side[]>} */
const CORNERS = {
  "top-left": ["top", "left"], "top-right": ["top", "right"], "bottom-right": ["bottom", "right"], "bottom-left": ["bottom", "left"],
};

/** @type {Rectangle} */
let part = { ...WHOLE };
/** The picture’s size: what the drawing measures in. */
let [wide, high] = [1, 1];
/** @type {(chosen: Rectangle | null | undefined) => void} */
let finish = () => undefined;

/** The four sliders, by side. @returns {[Side, HTMLInputElement][]} */
function sliders() {
  return Array.from(document.querySelectorAll("#crop-panel input[data-side]")).map((input) => [
    /** @type {Side} */ (input.getAttribute("data-side")),
    /** @type {HTMLInputElement} */ (input),
  ]);
}

/** Shows the frame and the sliders as they are now. */
function draw() {
  const frame = byId("crop", SVGSVGElement);
  const [x, y, w, h] = [part.x * wide, part.y * high, part.w * wide, part.h * high];
  const box = `M${x} ${y}h${w}v${h}h${-w}z`;
  frame.querySelector(".outside")?.setAttribute("d", `M0 0h${wide}v${high}h${-wide}z${box}`);
  frame.querySelector(".frame")?.setAttribute("d", box);
  for (const [name, [vertical, horizontal]] of Object.entries(CORNERS)) {
    const at = `M${sideOf(part, horizontal) * wide} ${sideOf(part, vertical) * high}h0`;
    for (const drawn of frame.querySelectorAll(`[data-corner="${name}"]`)) drawn.setAttribute("d", at);
  }
  for (const [side, input] of sliders()) input.value = String(Math.round(sideOf(part, side) * 100));
}

/**
 * Lets a person choose; resolves to the part, null for all of it, undefined when nothing is to change.
 * @param {Rectangle | null} before
 * @param {{width: number, height: number}} picture
 * @returns {Promise<Rectangle | null | undefined>}
 */
export function crop(before, picture) {
  part = { ...(before ?? WHOLE) };
  [wide, high] = [picture.width, picture.height];
  const frame = byId("crop", SVGSVGElement);
  frame.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  draw();
  show(frame, true);
  show(byId("crop-panel", HTMLElement), true);
  byId("drop", HTMLElement).classList.add("cropping");
  byId("crop-panel", HTMLElement).querySelector("input")?.focus({ preventScroll: true });
  return new Promise((resolve) => {
    finish = (chosen) => {
      finish = () => undefined;
      show(frame, false);
      show(byId("crop-panel", HTMLElement), false);
      byId("drop", HTMLElement).classList.remove("cropping");
      resolve(chosen);
    };
  });
}

/** Ends the choosing without a change, if it is under way. */
export function leaveCrop() {
  finish(undefined);
}

/** Listens to the frame, the sliders and the buttons. */
export function keepCrop() {
  const frame = byId("crop", SVGSVGElement);
  for (const [name] of Object.entries(CORNERS)) {
    for (const kind of ["grip", "knob"]) {
      const drawn = document.createElementNS(DRAWING, "path");
      drawn.setAttribute("class", kind);
      drawn.setAttribute("data-corner", name);
      frame.append(drawn);
    }
  }
  /** What is dragged: a corner’s sides, or none for all of it. @type {{sides: Side[], x: number, y: number} | null} */
  let held = null;
  const where = (/** @type {PointerEvent} */ event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(frame.getScreenCTM()?.inverse());
    return { x: point.x / wide, y: point.y / high };
  };
  frame.addEventListener("pointerdown", (event) => {
    const target = event.target;
    if (!(target instanceof SVGElement) || !event.isPrimary || target.classList.contains("outside")) return;
    event.preventDefault();
    frame.setPointerCapture(event.pointerId);
    held = { sides: CORNERS[target.dataset.corner ?? ""] ?? [], ...where(event) };
  });
  frame.addEventListener("pointermove", (event) => {
    if (!held) return;
    const now = where(event);
    if (held.sides.length === 0) part = moved(part, now.x - held.x, now.y - held.y);
    for (const side of held.sides) part = sided(part, side, side === "left" || side === "right" ? now.x : now.y);
    held = { ...held, ...now };
    draw();
  });
  for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, () => (held = null));
  for (const [side, input] of sliders()) {
    input.addEventListener("input", () => {
      part = sided(part, side, Number(input.value) / 100);
      draw();
    });
  }
  byId("crop-whole", HTMLElement).addEventListener("click", () => {
    part = { ...WHOLE };
    draw();
  });
  byId("crop-done", HTMLElement).addEventListener("click", () => finish(orWhole(part)));
  byId("crop-cancel", HTMLElement).addEventListener("click", () => finish(undefined));
  byId("crop-panel", HTMLElement).addEventListener("keydown", (event) => {
    if (event.key === "Escape") finish(undefined);
    if (event.key === "Enter" && event.target instanceof HTMLInputElement) {
      event.preventDefault(); // or the form would be sent
      finish(orWhole(part));
    }
  });
}
