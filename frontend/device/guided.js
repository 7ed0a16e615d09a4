/**
 * A coarse mask gets the outline of the picture it belongs to.
 *
 * The guided filter with a colour picture for a guide (He, Sun and Tang, “Guided Image Filtering”, IEEE TPAMI 35(6),
 * 2013): near each pixel the mask is taken for a linear function of the colours. Its coefficients are found at a small
 * size and used at the full one (He and Sun, “Fast Guided Filter”, arXiv:1505.00996).
 */

/** Means over squares of 2 r + 1 pixels a side, smaller at the border. @param {Float32Array} values @param {number} width @param {number} height @param {number} r */
export function boxMeans(values, width, height, r) {
  return meansDown(meansAcross(values, width, height, r), width, height, r);
}

/** @param {Float32Array} values @param {number} width @param {number} height @param {number} r */
function meansAcross(values, width, height, r) {
  const result = new Float32Array(values.length);
  for (let row = 0; row < width * height; row += width) {
    let [sum, many] = [0, 0];
    for (let x = -r; x < width; x += 1) {
      if (x + r < width) {
        sum += values[row + x + r];
        many += 1;
      }
      if (x - r - 1 >= 0) {
        sum -= values[row + x - r - 1];
        many -= 1;
      }
      if (x >= 0) result[row + x] = sum / many;
    }
  }
  return result;
}

/** @param {Float32Array} values @param {number} width @param {number} height @param {number} r */
function meansDown(values, width, height, r) {
  const result = new Float32Array(values.length);
  const sums = new Float64Array(width);
  let many = 0;
  for (let y = -r; y < height; y += 1) {
    const [comes, goes] = [y + r, y - r - 1];
    if (comes < height) many += 1;
    if (goes >= 0) many -= 1;
    for (let x = 0; x < width; x += 1) {
      if (comes < height) sums[x] += values[comes * width + x];
      if (goes >= 0) sums[x] -= values[goes * width + x];
      if (y >= 0) result[y * width + x] = sums[x] / many;
    }
  }
  return result;
}

/**
 * The four planes a of red, of green, of blue, and b, with which mask = a · colour + b near each pixel.
 * @param {Float32Array} guide three planes of colours from 0 to 1
 * @param {Float32Array} mask one plane
 * @param {number} width
 * @param {number} height
 * @param {number} radius
 * @param {number} epsilon how much variance counts as none
 * @returns {[Float32Array, Float32Array, Float32Array, Float32Array]}
 */
export function coefficients(guide, mask, width, height, radius, epsilon) {
  const size = width * height;
  const mean = (/** @type {Float32Array} */ plane) => boxMeans(plane, width, height, radius);
  const colours = [0, 1, 2].map((at) => guide.subarray(at * size, (at + 1) * size));
  /** @param {Float32Array} one @param {Float32Array} other */
  const product = (one, other) => mean(one.map((value, at) => value * other[at]));
  const means = colours.map(mean);
  const meanMask = mean(mask);
  const withMask = colours.map((colour) => product(colour, mask));
  const pairs = [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]].map(([i, j]) => product(colours[i], colours[j]));
  const planes = Array.from({ length: 4 }, () => new Float32Array(size));
  for (let at = 0; at < size; at += 1) {
    const [r, g, b] = [means[0][at], means[1][at], means[2][at]];
    // The covariance of the colours is symmetric; so is its inverse, by cofactors.
    const rr = pairs[0][at] - r * r + epsilon;
    const rg = pairs[1][at] - r * g;
    const rb = pairs[2][at] - r * b;
    const gg = pairs[3][at] - g * g + epsilon;
    const gb = pairs[4][at] - g * b;
    const bb = pairs[5][at] - b * b + epsilon;
    const [c0, c1, c2] = [gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg];
    const [c3, c4, c5] = [rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg];
    const whole = 1 / (rr * c0 + rg * c1 + rb * c2);
    const [pr, pg, pb] = [0, 1, 2].map((i) => withMask[i][at] - means[i][at] * meanMask[at]);
    planes[0][at] = (c0 * pr + c1 * pg + c2 * pb) * whole;
    planes[1][at] = (c1 * pr + c3 * pg + c4 * pb) * whole;
    planes[2][at] = (c2 * pr + c4 * pg + c5 * pb) * whole;
    planes[3][at] = meanMask[at] - planes[0][at] * r - planes[1][at] * g - planes[2][at] * b;
  }
  const [red, green, blue, rest] = planes.map(mean);
  return [red, green, blue, rest];
}
