/** The part of a picture that is kept: a rectangle in parts of its width and height, never outside, never too small. */

/** @typedef {{x: number, y: number, w: number, h: number}} Rectangle */
/** @typedef {"left" | "top" | "right" | "bottom"} Side */

export const WHOLE = Object.freeze({ x: 0, y: 0, w: 1, h: 1 });
export const LEAST = 0.1;

const within = (/** @type {number} */ value, /** @type {number} */ least, /** @type {number} */ most) =>
  Math.min(most, Math.max(least, value));

/** Shifted, as far as the picture goes. @param {Rectangle} part @param {number} dx @param {number} dy @returns {Rectangle} */
export function moved(part, dx, dy) {
  return { ...part, x: within(part.x + dx, 0, 1 - part.w), y: within(part.y + dy, 0, 1 - part.h) };
}

/**
 * With one side put elsewhere; the others stay.
 * @param {Rectangle} part
 * @param {Side} side
 * @param {number} at from the picture's left or top, 0 to 1
 * @returns {Rectangle}
 */
export function sided(part, side, at) {
  const [right, bottom] = [part.x + part.w, part.y + part.h];
  if (side === "left") {
    const x = within(at, 0, right - LEAST);
    return { ...part, x, w: right - x };
  }
  if (side === "top") {
    const y = within(at, 0, bottom - LEAST);
    return { ...part, y, h: bottom - y };
  }
  if (side === "right") return { ...part, w: within(at, part.x + LEAST, 1) - part.x };
  return { ...part, h: within(at, part.y + LEAST, 1) - part.y };
}

/** Where a side is, from the picture's left or top. @param {Rectangle} part @param {Side} side */
export function sideOf(part, side) {
  return { left: part.x, top: part.y, right: part.x + part.w, bottom: part.y + part.h }[side];
}

/** The same part after a quarter turn clockwise. @param {Rectangle} part @returns {Rectangle} */
export function turned(part) {
  return { x: 1 - part.y - part.h, y: part.x, w: part.h, h: part.w };
}

/** Null for the whole picture: nothing is cut off then. @param {Rectangle} part @returns {Rectangle | null} */
export function orWhole(part) {
  return part.w > 0.999 && part.h > 0.999 ? null : part;
}
