/**
 * Reads a ZIP that may be anybody's, by its directory and without taking it into memory: a stored file is a part of the
 * ZIP's own bytes; a deflated one is unpacked up to the length that was promised, and no further.
 */

import { Refused } from "./manifest.js";

/** @typedef {{ name: string, deflated: boolean, packed: number, bytes: number, at: number }} Entry `at`: of its header */

const END = 0x06054b50;
const LISTED = 0x02014b50;
const LOCAL = 0x04034b50;
const LONGEST_END = 22 + 65_535;
const MOST_ENTRIES = 40_001;
const LARGEST_DIRECTORY = 16_000_000;

/** @param {Blob} file @param {number} from @param {number} to */
async function bytes(file, from, to) {
  return new DataView(await file.slice(from, to).arrayBuffer());
}

/** Text; throws where it is none. @param {DataView} view @param {number} at @param {number} length */
function text(view, at, length) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(view.buffer, view.byteOffset + at, length));
  } catch {
    throw new Refused("zip-not");
  }
}

/** Where the directory is. @param {Blob} file */
async function end(file) {
  const start = Math.max(0, file.size - LONGEST_END);
  const tail = await bytes(file, start, file.size);
  for (let at = tail.byteLength - 22; at >= 0; at -= 1) {
    if (tail.getUint32(at, true) !== END || at + 22 + tail.getUint16(at + 20, true) !== tail.byteLength) continue;
    const count = tail.getUint16(at + 10, true);
    const [size, from] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
    const whole = tail.getUint16(at + 8, true) === count && from + size <= start + at;
    if (!whole || count > MOST_ENTRIES || size > LARGEST_DIRECTORY) break;
    return { count, size, from };
  }
  throw new Refused("zip-not");
}

/**
 * The files of a ZIP by name. Throws `Refused`: `zip-not` for what is none, or is encrypted, broken, or has two files in one
 * place; `zip-twice` for a name that is there twice.
 * @param {Blob} file
 * @returns {Promise<Map<string, Entry>>}
 */
export async function directory(file) {
  const { count, size, from } = await end(file);
  const view = await bytes(file, from, from + size);
  /** @type {Map<string, Entry>} */
  const found = new Map();
  let at = 0;
  for (let number = 0; number < count; number += 1) {
    if (at + 46 > size || view.getUint32(at, true) !== LISTED) throw new Refused("zip-not");
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const [packed, plain, place] = [20, 24, 42].map((field) => view.getUint32(at + field, true));
    const [named, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const next = at + 46 + named + extra + comment;
    if (next > size || (flags & 1) !== 0 || ![0, 8].includes(method)) throw new Refused("zip-not");
    if (method === 0 && packed !== plain) throw new Refused("zip-not");
    const name = text(view, at + 46, named);
    if (found.has(name)) throw new Refused("zip-twice");
    if (!name.endsWith("/")) found.set(name, { name, deflated: method === 8, packed, bytes: plain, at: place });
    at = next;
  }
  const byPlace = [...found.values()].sort((one, other) => one.at - other.at);
  byPlace.forEach((entry, number) => {
    const before = byPlace[number + 1]?.at ?? from;
    if (entry.at + 30 + entry.packed > before) throw new Refused("zip-not"); // it reaches into the next one
  });
  return found;
}

/**
 * One file of a ZIP. Throws `Refused` (`zip-not`) where it is not as long as its entry says.
 * @param {Blob} file the ZIP @param {Entry} entry
 * @returns {Promise<Blob>}
 */
export async function content(file, entry) {
  const header = await bytes(file, entry.at, entry.at + 30);
  if (header.byteLength < 30 || header.getUint32(0, true) !== LOCAL) throw new Refused("zip-not");
  const start = entry.at + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const part = file.slice(start, start + entry.packed);
  if (part.size !== entry.packed) throw new Refused("zip-not");
  return entry.deflated ? await inflated(part, entry.bytes) : part;
}

/** @param {Blob} part @param {number} promised bytes */
async function inflated(part, promised) {
  const reader = part.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const chunks = [];
  let got = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      got += value.length;
      if (got > promised) break;
      chunks.push(/** @type {Uint8Array<ArrayBuffer>} */ (value));
    }
  } catch {
    got = -1;
  }
  if (got !== promised) {
    await reader.cancel().catch(() => undefined);
    throw new Refused("zip-not");
  }
  return new Blob(chunks);
}
