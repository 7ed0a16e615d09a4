/** ZIP files without a trace of when or by whom they were made. */

import { zipSync } from "fflate";

/** The earliest time that a ZIP can say. */
const NO_TIME = new Date(1980, 0, 1);
/** Extra fields of this kind are skipped by readers. */
const PADDING = 0x3039;
const LOCAL_HEADER = 30;

/** A number as short as a single-precision one can be without changing it much. @param {number} value */
export const short = (value) => String(Number(value.toPrecision(7)));

/**
 * A ZIP of texts and pictures; what is compressed already is only stored.
 * @param {Record<string, Uint8Array>} files
 */
export function zip(files) {
  const entries = Object.entries(files).map(([name, bytes]) => {
    const level = /** @type {0 | 6} */ (/\.(png|jpg)$/.test(name) ? 0 : 6);
    return /** @type {const} */ ([name, /** @type {[Uint8Array, { level: 0 | 6 }]} */ ([bytes, { level }])]);
  });
  return zipSync(Object.fromEntries(entries), { mtime: NO_TIME });
}

/**
 * A ZIP in which nothing is compressed and each file begins at a multiple of 64 bytes, as USDZ wants it.
 * @param {Record<string, Uint8Array>} files
 */
export function alignedZip(files) {
  /** @type {Record<string, [Uint8Array, { extra?: Record<number, Uint8Array> }]>} */
  const entries = Object.create(null);
  let offset = 0;
  for (const [name, bytes] of Object.entries(files)) {
    const start = offset + LOCAL_HEADER + name.length;
    const padding = start % 64 === 0 ? null : new Uint8Array((128 - ((start + 4) % 64)) % 64);
    entries[name] = [bytes, padding ? { extra: { [PADDING]: padding } } : {}];
    offset = start + (padding ? padding.length + 4 : 0) + bytes.length;
  }
  return zipSync(entries, { level: 0, mtime: NO_TIME });
}
