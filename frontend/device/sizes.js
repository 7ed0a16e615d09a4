/** How large a picture becomes: turned, cut to a part of itself, and no longer than is of use. Pure arithmetic. */

/**
 * What a person did to a picture.
 * @typedef {object} Shape
 * @property {number} turns quarter turns clockwise
 * @property {{x: number, y: number, w: number, h: number} | null} crop in 0..1 of the turned picture; null: all of it
 * @property {number} longest pixels of the longer side, at most
 */

/**
 * @typedef {object} Plan
 * @property {number} width pixels of the result
 * @property {number} height
 * @property {[number, number, number, number, number, number]} matrix a canvas's transform under which the upright
 *   picture, drawn at 0, 0 in its own size, lands as the result
 */

/** Between two bounds; what is no number is the lower one. @param {number} value @param {number} low @param {number} high */
const between = (value, low, high) => (value > low ? Math.min(value, high) : low);

/**
 * Where each pixel of a picture (width x height, upright) goes.
 * @param {number} width
 * @param {number} height
 * @param {Shape} shape
 * @returns {Plan}
 */
export function plan(width, height, { turns, crop, longest }) {
  const quarter = ((Math.round(turns) % 4) + 4) % 4 || 0;
  const [wide, high] = quarter % 2 ? [height, width] : [width, height];
  const left = Math.min(wide - 1, Math.floor(between(crop?.x ?? 0, 0, 1) * wide));
  const top = Math.min(high - 1, Math.floor(between(crop?.y ?? 0, 0, 1) * high));
  const right = Math.ceil(between((crop?.x ?? 0) + (crop?.w ?? 1), 0, 1) * wide);
  const bottom = Math.ceil(between((crop?.y ?? 0) + (crop?.h ?? 1), 0, 1) * high);
  const part = { w: Math.max(1, right - left), h: Math.max(1, bottom - top) };
  const scale = Math.min(1, between(longest, 1, Infinity) / Math.max(part.w, part.h));
  const size = { width: Math.max(1, Math.round(part.w * scale)), height: Math.max(1, Math.round(part.h * scale)) };
  const [sx, sy] = [size.width / part.w, size.height / part.h];
  // Clockwise on a canvas, whose y goes down: (x, y) becomes (-y, x), moved back into view.
  const [cos, sin] = [[1, 0], [0, 1], [-1, 0], [0, -1]][quarter];
  const [dx, dy] = [[0, 0], [height, 0], [width, height], [0, width]][quarter];
  return { ...size, matrix: [cos * sx, sin * sy, -sin * sx, cos * sy, (dx - left) * sx, (dy - top) * sy] };
}
