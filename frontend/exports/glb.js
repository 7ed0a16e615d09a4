/**
 * Whether a file is a whole GLB that stands alone. It is looked at before anything acts on it: a file that names other
 * addresses is refused, so that opening it cannot ask anybody for anything.
 */

const MAGIC = 0x46546c67;
const JSON_CHUNK = 0x4e4f534a;
const HEADER = 12;
const CHUNK_HEADER = 8;

/** A file that is refused; the message names the sentence that says why. */
export class Refused extends Error {}

/**
 * Throws `Refused` with "broken" or "elsewhere" unless the bytes are a GLB (version 2) that needs no other file.
 * @param {ArrayBuffer} bytes
 */
export function demandWhole(bytes) {
  const view = new DataView(bytes);
  if (bytes.byteLength < HEADER + CHUNK_HEADER || view.getUint32(0, true) !== MAGIC) throw new Refused("broken");
  const length = view.getUint32(HEADER, true);
  const whole = view.getUint32(4, true) === 2 && view.getUint32(8, true) === bytes.byteLength;
  const first = HEADER + CHUNK_HEADER;
  if (!whole || view.getUint32(HEADER + 4, true) !== JSON_CHUNK || first + length > bytes.byteLength) {
    throw new Refused("broken");
  }
  /** @type {unknown} */
  let document;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(bytes, first, length)));
  } catch {
    throw new Refused("broken");
  }
  if (typeof document !== "object" || document === null) throw new Refused("broken");
  for (const list of ["buffers", "images"]) {
    const entries = /** @type {Record<string, unknown>} */ (document)[list] ?? [];
    if (!Array.isArray(entries)) throw new Refused("broken");
    if (entries.some((entry) => entry?.uri !== undefined)) throw new Refused("elsewhere");
  }
}
