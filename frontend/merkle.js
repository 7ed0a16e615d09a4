/** The log's tree (RFC 9162 with SHA-256): hashes in hex, and how its two kinds of proof are checked. */

const HASH = /^[0-9a-f]{64}$/;
const LONGEST = 64;

/** @param {Uint8Array} data */
async function sha256(data) {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", /** @type {BufferSource} */ (data))));
}

/** @param {Uint8Array} bytes */
function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} hex */
function fromHex(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Whether it is a hash as we write them. @param {unknown} value @returns {value is string} */
export function isHash(value) {
  return typeof value === "string" && HASH.test(value);
}

/** Whether it is a number of leaves. @param {unknown} value @returns {value is number} */
export function isCount(value) {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Whether it is a path of hashes. @param {unknown} value @returns {value is string[]} */
export function isPath(value) {
  return Array.isArray(value) && value.length <= LONGEST && value.every(isHash);
}

/** SHA-256 of a text, in hex. @param {string} text */
export function digest(text) {
  return sha256(new TextEncoder().encode(text));
}

/** @param {string} text */
export function leafHash(text) {
  return sha256(new Uint8Array([0, ...new TextEncoder().encode(text)]));
}

/** @param {string} left @param {string} right */
function nodeHash(left, right) {
  return sha256(new Uint8Array([1, ...fromHex(left), ...fromHex(right)]));
}

/** A place in a tree and the last one there, as they are on the way up: halved without bit operations, which end at 2^32. */
class Climb {
  /** @param {number} place @param {number} last */
  constructor(place, last) {
    this.place = place;
    this.last = last;
  }

  /** Whether the next hash stands to the left. */
  get right() {
    return this.place % 2 === 1 || this.place === this.last;
  }

  up() {
    this.place = Math.floor(this.place / 2);
    this.last = Math.floor(this.last / 2);
  }

  /** Passes the levels at which the place has no neighbour. */
  skip() {
    while (this.place && this.place % 2 === 0) this.up();
  }
}

/**
 * Whether the path leads from the leaf at `index` to the root of the tree of `size` (RFC 9162, 2.1.3.2).
 * @param {{ leaf: string, index: number, size: number, path: string[], root: string }} proof
 */
export async function includes({ leaf, index, size, path, root }) {
  if (index >= size) return false;
  const climb = new Climb(index, size - 1);
  let found = leaf;
  for (const other of path) {
    if (climb.last === 0) return false;
    if (climb.right) {
      found = await nodeHash(other, found);
      climb.skip();
    } else {
      found = await nodeHash(found, other);
    }
    climb.up();
  }
  return climb.last === 0 && found === root;
}

/**
 * Whether the path shows that the first tree is the beginning of the second (RFC 9162, 2.1.4.2).
 * @param {{ first: number, second: number, firstRoot: string, secondRoot: string, path: string[] }} proof
 */
export async function extend({ first, second, firstRoot, secondRoot, path }) {
  if (first === second) return path.length === 0 && firstRoot === secondRoot;
  if (first > second) return false;
  if (first === 0) return path.length === 0 && firstRoot === (await digest(""));
  const steps = Number.isInteger(Math.log2(first)) ? [firstRoot, ...path] : path;
  if (!steps.length) return false;
  const climb = new Climb(first - 1, second - 1);
  while (climb.place % 2 === 1) climb.up();
  let [older, newer] = [steps[0], steps[0]];
  for (const other of steps.slice(1)) {
    if (climb.last === 0) return false;
    if (climb.right) {
      older = await nodeHash(other, older);
      newer = await nodeHash(other, newer);
      climb.skip();
    } else {
      newer = await nodeHash(newer, other);
    }
    climb.up();
  }
  return climb.last === 0 && older === firstRoot && newer === secondRoot;
}
