/** Whether a file can be sent. The server decides by content; this only spares a useless journey. */

import { word } from "./words.js";

const KINDS = /^image\/(jpeg|png|webp|hei[cf]|avif)$/;

/** Bytes as a number of megabytes, finer where that shows the difference. @param {number} bytes @param {number} limit */
const megabytes = (bytes, limit) => (bytes / 1e6).toFixed(bytes < 1e7 * limit ? 1 : 0);

/**
 * Why a file cannot be sent, or "".
 * @param {File} file
 * @param {number} limit in megabytes
 */
export function objection(file, limit) {
  if (file.size === 0) return word("empty");
  if (file.size > limit * 1_000_000) return word("large", { n: megabytes(file.size, limit), limit });
  if (file.type && !KINDS.test(file.type)) return word("kind");
  return "";
}

/**
 * Why several files cannot be sent together, or "".
 * @param {Blob[]} files
 * @param {number} limit in megabytes
 */
export function togetherTooLarge(files, limit) {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  return bytes > limit * 1_000_000 ? word("together", { n: megabytes(bytes, limit), limit }) : "";
}
