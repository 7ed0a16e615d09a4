/**
 * Which islands of a mask are the subject: the main one, with the loose parts that belong to it.
 *
 * The same words as generation/engine/subjects.py, whose rule on what hangs together is finer: here a part is near
 * enough when its box is. What is left out can be seen in the preview before anything is sent.
 */

/** Smaller than this share of the largest island, an island is noise. */
const ISLAND_SHARE = 0.02;
/** Smaller than this share of the mask, a hole is one. */
const HOLE_SHARE = 0.0005;
/** In a corner of the picture, an island counts this much less than in the middle. */
const CORNER_LOSS = 0.6;
/** A part is at most this share of the main island, and not farther off than this many times its own size. */
const PART_SHARE = 0.35;
const PART_GAP = 0.6;
/** Nearer than this share of the main island's size, two islands all but touch. */
const TOUCH = 0.02;

/** @typedef {{size: number, x: number, y: number, left: number, top: number, right: number, bottom: number}} Island x, y: sums */

/**
 * The main subject of a mask (1 = subject), without noise and pinholes.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} height
 * @returns {Uint8Array}
 */
export function mainSubject(mask, width, height) {
  const { labels, islands } = islandsOf(mask, width, height);
  if (!islands.length) return mask.slice();
  const largest = islands.reduce((most, { size }) => Math.max(most, size), 0);
  const sound = islands.map(({ size }) => size >= ISLAND_SHARE * largest);
  const weight = islands.map((island, at) => (sound[at] ? island.size * centrality(island, width, height) : 0));
  const main = weight.reduce((best, value, at) => (value > weight[best] ? at : best), 0);
  const kept = islands.map((_, at) => at === main);
  const reach = islands.map(({ size }) => {
    const touch = TOUCH * Math.sqrt(islands[main].size);
    return size <= PART_SHARE * islands[main].size ? Math.max(touch, PART_GAP * Math.sqrt(size)) : touch;
  });
  for (let found = true; found; ) {
    const near = islands.findIndex(
      (one, at) => sound[at] && !kept[at] && islands.some((other, place) => kept[place] && gap(one, other) <= reach[at]),
    );
    found = near >= 0;
    if (found) kept[near] = true;
  }
  return filled(Uint8Array.from(labels, (label) => (label > 0 && kept[label - 1] ? 1 : 0)), width, height);
}

/**
 * A mask without islands far smaller than the largest one, and without pinholes.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} height
 */
export function tidy(mask, width, height) {
  const { labels, islands } = islandsOf(mask, width, height);
  const least = ISLAND_SHARE * islands.reduce((most, { size }) => Math.max(most, size), 0);
  return filled(Uint8Array.from(labels, (label) => (label > 0 && islands[label - 1].size >= least ? 1 : 0)), width, height);
}

/** The mask without holes far smaller than itself. @param {Uint8Array} mask @param {number} width @param {number} height */
function filled(mask, width, height) {
  const { labels, islands } = islandsOf(mask.map((value) => 1 - value), width, height);
  const most = HOLE_SHARE * mask.reduce((sum, value) => sum + value, 0);
  const open = (/** @type {Island} */ { left, top, right, bottom }) => left === 0 || top === 0 || right === width - 1 || bottom === height - 1;
  const small = islands.map((island) => island.size < most && !open(island));
  return mask.map((value, at) => (value || (labels[at] > 0 && small[labels[at] - 1]) ? 1 : 0));
}

/** 1 in the middle of the picture, less towards its corners. @param {Island} island @param {number} width @param {number} height */
function centrality({ size, x, y }, width, height) {
  const away = Math.hypot((x / size + 0.5) / (width / 2) - 1, (y / size + 0.5) / (height / 2) - 1);
  return 1 - (CORNER_LOSS * away) / Math.SQRT2;
}

/** Pixels between the boxes of two islands. @param {Island} one @param {Island} other */
function gap(one, other) {
  const beside = Math.max(0, one.left - other.right, other.left - one.right);
  const below = Math.max(0, one.top - other.bottom, other.top - one.bottom);
  return Math.hypot(beside, below);
}

/**
 * A label for each pixel (0: none) and what each island is like, the first being label 1.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} height
 */
export function islandsOf(mask, width, height) {
  const labels = new Int32Array(mask.length);
  const stack = new Int32Array(mask.length);
  /** @type {Island[]} */
  const islands = [];
  for (let start = 0; start < mask.length; start += 1) {
    if (!mask[start] || labels[start]) continue;
    const island = { size: 0, x: 0, y: 0, left: width, top: height, right: 0, bottom: 0 };
    islands.push(island);
    let waiting = 1;
    stack[0] = start;
    labels[start] = islands.length;
    while (waiting) {
      const at = stack[(waiting -= 1)];
      const [x, y] = [at % width, Math.floor(at / width)];
      island.size += 1;
      island.x += x;
      island.y += y;
      island.left = Math.min(island.left, x);
      island.right = Math.max(island.right, x);
      island.top = Math.min(island.top, y);
      island.bottom = Math.max(island.bottom, y);
      for (const next of [x > 0 ? at - 1 : -1, x < width - 1 ? at + 1 : -1, at - width, at + width]) {
        if (next < 0 || next >= mask.length || !mask[next] || labels[next]) continue;
        labels[next] = islands.length;
        stack[waiting] = next;
        waiting += 1;
      }
    }
  }
  return { labels, islands };
}
