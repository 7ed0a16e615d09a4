/**
 * Everything outside the outline is gone: colour and transparency are zero, and the pixels along the outline take their
 * colour from those inside. So nothing of what was behind the subject is left, hidden or mixed in.
 */

/** @typedef {import("./outline.js").Outline} Outline */
/** @typedef {import("./saliency.js").Picture} Picture */

/** As far as the outline can be moved, as a share of the picture's longest side. */
const REACH = 0.015;
/** Pixels over which the outline fades. */
const SOFT = 2;
/** So many pixels inwards a pixel on the outline looks for its colour. */
const LOOK = 3;

/**
 * How opaque a pixel is, 0 to 255.
 * @param {number} distance from the outline, more than 0 inside
 * @param {number} offset pixels by which the outline is moved outwards
 */
export function opacity(distance, offset) {
  return Math.round(255 * Math.min(1, Math.max(0, (distance + offset) / SOFT + 0.5)));
}

/** Pixels by which the outline moves. @param {number} edge -1 (tighter) to 1 (wider) @param {number} longest side of the picture */
export function offsetOf(edge, longest) {
  return Math.min(1, Math.max(-1, edge || 0)) * REACH * longest;
}

/**
 * The subject alone, as the pixels of a picture of the same size.
 * @param {Picture} picture
 * @param {Outline} outline
 * @param {number} edge -1 to 1
 * @returns {Uint8ClampedArray<ArrayBuffer>}
 */
export function cleared({ data, width, height }, { part, distance }, edge) {
  const offset = offsetOf(edge, Math.max(width, height));
  const result = new Uint8ClampedArray(data.length); // all zero
  for (let y = 0; y < part.h; y += 1) {
    for (let x = 0; x < part.w; x += 1) {
      const alpha = opacity(distance[y * part.w + x], offset);
      if (alpha === 0) continue;
      const at = 4 * ((part.y + y) * width + part.x + x);
      if (alpha === 255) result.set(data.subarray(at, at + 3), at);
      else inner(result, at, data, width, part, distance, x, y, offset);
      result[at + 3] = alpha;
    }
  }
  return result;
}

/**
 * Gives a pixel on the outline the mean colour of those near it that are all inside; its own where there are none, as
 * on a wire, which is all outline.
 * @param {Uint8ClampedArray} result
 * @param {number} at
 * @param {Uint8ClampedArray} data
 * @param {number} width
 * @param {import("./saliency.js").Box} part
 * @param {Float32Array} distance
 * @param {number} x
 * @param {number} y
 * @param {number} offset
 */
function inner(result, at, data, width, part, distance, x, y, offset) {
  let [red, green, blue, many] = [0, 0, 0, 0];
  for (let row = Math.max(0, y - LOOK); row <= Math.min(part.h - 1, y + LOOK); row += 1) {
    for (let column = Math.max(0, x - LOOK); column <= Math.min(part.w - 1, x + LOOK); column += 1) {
      if (opacity(distance[row * part.w + column], offset) < 255) continue;
      const from = 4 * ((part.y + row) * width + part.x + column);
      red += data[from];
      green += data[from + 1];
      blue += data[from + 2];
      many += 1;
    }
  }
  if (many) result.set([red / many, green / many, blue / many], at);
  else result.set(data.subarray(at, at + 3), at);
}
