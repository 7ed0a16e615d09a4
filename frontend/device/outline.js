/** The outline of a picture's subject, as the distance of each pixel from it; moving the outline is then plain arithmetic. */

import { boxMeans, coefficients } from "./guided.js";
import { mainSubject, tidy } from "./islands.js";
import { around, lookTwice, shrunk, stretched } from "./saliency.js";

/** @typedef {import("./saliency.js").Picture} Picture */
/** @typedef {import("./saliency.js").Box} Box */
/** @typedef {{part: Box, distance: Float32Array}} Outline pixels inside (more than 0) or outside it, of a part of a picture */

/** The network's answer is brought to this many pixels along the longest side, and so is the part that is refined. */
const ROUGH_SIDE = 512;
const WORKING_SIDE = 384;
/** Room around the part that may be subject, as a share of its size. */
const MARGIN = 0.1;
/** So many pixels, at working size, inside or outside all doubt, the colours are not asked. */
const CERTAIN = 6;
const RADIUS = 8;
const EPSILON = 1e-4;

/** Width and height with the longest side at most so long. @param {number} w @param {number} h @param {number} side */
function within(w, h, side) {
  const scale = Math.min(1, side / Math.max(w, h));
  return [Math.max(1, Math.round(w * scale)), Math.max(1, Math.round(h * scale))];
}

/**
 * Finds the subject of an opaque picture.
 * @param {Picture} picture
 * @param {boolean} all everything that stands out, not only the main subject
 * @param {import("./saliency.js").Network} network
 * @returns {Promise<Outline | null>} null where nothing stands out
 */
export async function outlineOf(picture, all, network) {
  const { width, height } = picture;
  const [wide, high] = within(width, height, ROUGH_SIDE);
  const likely = await lookTwice(picture, wide, high, network);
  if (!likely) return null;
  const subject = all ? null : mainSubject(Uint8Array.from(likely.values, (value) => (value > 0.5 ? 1 : 0)), wide, high);
  // What the network takes for another subject is none; its doubts around the outline stay.
  const values = likely.values.map((value, at) => (value > 0.5 && subject && !subject[at] ? 0 : value));
  const part = around({ values, width: wide, height: high }, 0.5, MARGIN, width, height);
  if (!part) return null;
  const mask = refined(picture, part, cutFrom({ values, width: wide, height: high }, part, picture));
  return { part, distance: distances(mask, part.w, part.h) };
}

/**
 * A part of the network's answer at working size.
 * @param {import("./saliency.js").Plane} plane of the whole picture
 * @param {Box} part of the picture
 * @param {Picture} picture
 */
function cutFrom(plane, part, picture) {
  const [sx, sy] = [plane.width / picture.width, plane.height / picture.height];
  const box = { x: Math.floor(part.x * sx), y: Math.floor(part.y * sy), w: Math.ceil(part.w * sx), h: Math.ceil(part.h * sy) };
  box.w = Math.max(1, Math.min(box.w, plane.width - box.x));
  box.h = Math.max(1, Math.min(box.h, plane.height - box.y));
  const values = new Float32Array(box.w * box.h);
  for (let y = 0; y < box.h; y += 1) {
    const row = (box.y + y) * plane.width + box.x;
    values.set(plane.values.subarray(row, row + box.w), y * box.w);
  }
  const [width, height] = within(part.w, part.h, WORKING_SIDE);
  return stretched({ values, width: box.w, height: box.h }, width, height);
}

/**
 * The mask (1 = subject) of a part at full size, its outline at the nearest edge in colour.
 * @param {Picture} picture
 * @param {Box} part
 * @param {import("./saliency.js").Plane} likely at working size
 */
function refined(picture, part, { values, width, height }) {
  const guide = shrunk(picture, part, width, height);
  const planes = coefficients(guide, values, width, height, RADIUS, EPSILON);
  const sure = boxMeans(values.map((value) => (value > 0.5 ? 1 : 0)), width, height, CERTAIN);
  const soft = new Float32Array(part.w * part.h);
  for (let y = 0; y < part.h; y += 1) {
    const down = Math.min(height - 1, Math.max(0, ((y + 0.5) * height) / part.h - 0.5));
    const top = Math.floor(down) * width;
    const bottom = Math.min(height - 1, Math.floor(down) + 1) * width;
    const v = down % 1;
    for (let x = 0; x < part.w; x += 1) {
      const across = Math.min(width - 1, Math.max(0, ((x + 0.5) * width) / part.w - 0.5));
      const left = Math.floor(across);
      const right = Math.min(width - 1, left + 1);
      const near = sure[top + left];
      if (near < 1e-4 || near > 1 - 1e-4) {
        soft[y * part.w + x] = Math.round(near);
        continue;
      }
      const u = across % 1;
      const from = 4 * ((part.y + y) * picture.width + part.x + x);
      let value = 0;
      for (let plane = 0; plane < 4; plane += 1) {
        const a = planes[plane];
        const above = a[top + left] * (1 - u) + a[top + right] * u;
        const under = a[bottom + left] * (1 - u) + a[bottom + right] * u;
        value += (above * (1 - v) + under * v) * (plane < 3 ? picture.data[from + plane] / 255 : 1);
      }
      soft[y * part.w + x] = value;
    }
  }
  // A ragged outline is noise.
  const smooth = boxMeans(soft, part.w, part.h, Math.max(1, Math.round(part.w / width)));
  return tidy(Uint8Array.from(smooth, (value) => (value > 0.5 ? 1 : 0)), part.w, part.h);
}

/**
 * For each pixel, how far it is from the nearest of the other kind, less half a pixel: the distance from the outline,
 * more than 0 inside. By two sweeps over the neighbours (Borgefors, “Distance transformations in digital images”, 1986).
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} height
 */
export function distances(mask, width, height) {
  const inside = swept(mask, 1, width, height);
  const outside = swept(mask, 0, width, height);
  return inside.map((value, at) => (mask[at] ? value - 0.5 : 0.5 - outside[at]));
}

/** How far each pixel of a kind is from the others. @param {Uint8Array} mask @param {number} kind @param {number} width @param {number} height */
function swept(mask, kind, width, height) {
  const far = width + height;
  const away = new Float32Array(mask.length);
  for (let at = 0; at < mask.length; at += 1) away[at] = mask[at] === kind ? far : 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) reach(away, x, y, width, height, -1);
  }
  for (let y = height - 1; y >= 0; y -= 1) {
    for (let x = width - 1; x >= 0; x -= 1) reach(away, x, y, width, height, 1);
  }
  return away;
}

/** By the neighbours on one side. @param {Float32Array} away @param {number} x @param {number} y @param {number} width @param {number} height @param {number} step */
function reach(away, x, y, width, height, step) {
  const at = y * width + x;
  let least = away[at];
  if (least === 0) return;
  const beside = x + step >= 0 && x + step < width;
  const behind = x - step >= 0 && x - step < width;
  const next = at + step * width;
  if (beside) least = Math.min(least, away[at + step] + 1);
  if (y + step >= 0 && y + step < height) {
    least = Math.min(least, away[next] + 1);
    if (beside) least = Math.min(least, away[next + step] + Math.SQRT2);
    if (behind) least = Math.min(least, away[next - step] + Math.SQRT2);
  }
  away[at] = least;
}
