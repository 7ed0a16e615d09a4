/**
 * Writes a ZIP piece by piece. A piece is handed to the browser as it comes, which puts large ones on disk, so that no more
 * than some megabytes are in the page's memory, however large the whole is.
 */

import { Zip, ZipPassThrough } from "fflate";

const PIECE = 4_000_000;

/**
 * The ZIP of these files, stored as they are: models and pictures are compressed already.
 * @param {readonly { name: string, file: Blob }[]} entries @param {(part: number) => void} progress 0 to 1
 * @returns {Promise<Blob>}
 */
export async function packed(entries, progress) {
  /** @type {Blob[]} */
  const pieces = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  let waiting = [];
  let bytes = 0;
  /** @type {Error | null} */
  let failed = null;
  const flush = () => {
    pieces.push(new Blob(waiting));
    waiting = [];
    bytes = 0;
  };
  const zip = new Zip((error, chunk) => {
    failed ??= error;
    waiting.push(/** @type {Uint8Array<ArrayBuffer>} */ (chunk));
    bytes += chunk.length;
    if (bytes >= PIECE) flush();
  });
  const all = entries.reduce((sum, { file }) => sum + file.size, 0) || 1;
  let done = 0;
  for (const { name, file } of entries) {
    const entry = new ZipPassThrough(name);
    zip.add(entry);
    const reader = file.stream().getReader();
    for (;;) {
      const { done: end, value } = await reader.read();
      if (end) break;
      entry.push(value);
      done += value.length;
      progress(done / all);
    }
    entry.push(new Uint8Array(0), true);
  }
  zip.end();
  if (failed) throw failed;
  flush();
  return new Blob(pieces, { type: "application/zip" });
}
