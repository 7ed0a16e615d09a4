/**
 * What the network u2netp sees and says: the same two looks, on the same scales, as generation/engine/mask.py.
 *
 * Pictures are flat arrays, row by row: RGBA bytes, or one float a pixel.
 */

/** @typedef {{x: number, y: number, w: number, h: number}} Box in pixels */
/** @typedef {{values: Float32Array, width: number, height: number}} Plane */
/** @typedef {{data: Uint8ClampedArray, width: number, height: number}} Picture */
/** @typedef {(input: Float32Array, side: number) => Promise<Float32Array>} Network three planes in, one out */

/** Sides of the squares that the network sees: of the whole picture, and of the part it found. */
const ROUGH_SIDE = 192;
const FINE_SIDE = 256;
/** So much of the part's size is added around it for the second look. */
const SECOND_MARGIN = 0.12;
/** Below this raw output anywhere the network has seen nothing at all. */
const NOTICED = 0.9;

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

/**
 * A part of a picture at another size, as its colours from 0 to 1 in three planes; each pixel the mean of those it covers.
 * @param {Picture} picture
 * @param {Box} part
 * @param {number} width
 * @param {number} height
 */
export function shrunk({ data, width: stride }, part, width, height) {
  const size = width * height;
  const planes = new Float32Array(3 * size);
  for (let y = 0; y < height; y += 1) {
    const top = part.y + Math.floor((y * part.h) / height);
    const bottom = Math.max(top + 1, part.y + Math.ceil(((y + 1) * part.h) / height));
    for (let x = 0; x < width; x += 1) {
      const left = part.x + Math.floor((x * part.w) / width);
      const right = Math.max(left + 1, part.x + Math.ceil(((x + 1) * part.w) / width));
      let [red, green, blue] = [0, 0, 0];
      for (let row = top; row < bottom; row += 1) {
        for (let at = 4 * (row * stride + left); at < 4 * (row * stride + right); at += 4) {
          red += data[at];
          green += data[at + 1];
          blue += data[at + 2];
        }
      }
      const many = 255 * (right - left) * (bottom - top);
      const at = y * width + x;
      planes[at] = red / many;
      planes[size + at] = green / many;
      planes[2 * size + at] = blue / many;
    }
  }
  return planes;
}

/**
 * A plane at another size, between its pixels by straight lines.
 * @param {Plane} plane
 * @param {number} width
 * @param {number} height
 * @returns {Plane}
 */
export function stretched({ values, width: from, height: tall }, width, height) {
  const result = new Float32Array(width * height);
  const places = Array.from({ length: width }, (_, x) => Math.min(from - 1, Math.max(0, ((x + 0.5) * from) / width - 0.5)));
  for (let y = 0; y < height; y += 1) {
    const down = Math.min(tall - 1, Math.max(0, ((y + 0.5) * tall) / height - 0.5));
    const top = Math.floor(down) * from;
    const bottom = Math.min(tall - 1, Math.floor(down) + 1) * from;
    const below = down % 1;
    for (let x = 0; x < width; x += 1) {
      const left = Math.floor(places[x]);
      const right = Math.min(from - 1, left + 1);
      const beside = places[x] % 1;
      const above = values[top + left] * (1 - beside) + values[top + right] * beside;
      const under = values[bottom + left] * (1 - beside) + values[bottom + right] * beside;
      result[y * width + x] = above * (1 - below) + under * below;
    }
  }
  return { values: result, width, height };
}

/**
 * How much each pixel of a part belongs to a subject, 0 to 1, at (side, side); all zero where nothing was noticed.
 * @param {Picture} picture
 * @param {Box} part
 * @param {number} side
 * @param {Network} network
 * @returns {Promise<Plane>}
 */
async function look(picture, part, side, network) {
  const planes = shrunk(picture, part, side, side);
  const size = side * side;
  let most = 1 / 255;
  for (const value of planes) most = Math.max(most, value);
  for (let at = 0; at < planes.length; at += 1) {
    const colour = Math.floor(at / size);
    planes[at] = (planes[at] / most - MEAN[colour]) / DEVIATION[colour];
  }
  const said = await network(planes, side);
  let [low, high] = [Infinity, -Infinity];
  for (const value of said) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const seen = high > NOTICED && high - low >= 1e-6;
  return { values: said.map((value) => (seen ? (value - low) / (high - low) : 0)), width: side, height: side };
}

/**
 * The box around what is above a threshold, wider by a share of itself all round, inside a picture of that size.
 * @param {Plane} plane of any size
 * @param {number} threshold
 * @param {number} margin
 * @param {number} width
 * @param {number} height
 * @returns {Box | null} null where there is nothing
 */
export function around({ values, width: wide, height: high }, threshold, margin, width, height) {
  let [left, top, right, bottom] = [wide, high, -1, -1];
  for (let y = 0; y < high; y += 1) {
    for (let x = 0; x < wide; x += 1) {
      if (!(values[y * wide + x] > threshold)) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return null;
  const [dx, dy] = [(right + 1 - left) * margin, (bottom + 1 - top) * margin];
  const x = Math.max(0, Math.floor(((left - dx) * width) / wide));
  const y = Math.max(0, Math.floor(((top - dy) * height) / high));
  return {
    x,
    y,
    w: Math.min(width, Math.ceil(((right + 1 + dx) * width) / wide)) - x,
    h: Math.min(height, Math.ceil(((bottom + 1 + dy) * height) / high)) - y,
  };
}

/**
 * How much each pixel of a picture belongs to a subject (0..1): of the whole, then again of the part found, averaged.
 * @param {Picture} picture
 * @param {number} width of the answer
 * @param {number} height
 * @param {Network} network
 * @returns {Promise<Plane | null>} null where the network noticed nothing
 */
export async function lookTwice(picture, width, height, network) {
  const all = { x: 0, y: 0, w: picture.width, h: picture.height };
  const rough = await look(picture, all, ROUGH_SIDE, network);
  const likely = stretched(rough, width, height);
  const part = around(rough, 0.5, SECOND_MARGIN, width, height);
  if (!part) return null;
  const scale = [picture.width / width, picture.height / height];
  const large = {
    x: Math.floor(part.x * scale[0]),
    y: Math.floor(part.y * scale[1]),
    w: Math.max(1, Math.floor(part.w * scale[0])),
    h: Math.max(1, Math.floor(part.h * scale[1])),
  };
  const fine = await look(picture, large, FINE_SIDE, network);
  if (!fine.values.some((value) => value > 0)) return likely;
  const finer = stretched(fine, part.w, part.h);
  for (let y = 0; y < part.h; y += 1) {
    for (let x = 0; x < part.w; x += 1) {
      const at = (y + part.y) * width + x + part.x;
      likely.values[at] = (likely.values[at] + finer.values[y * part.w + x]) / 2;
    }
  }
  return likely;
}
