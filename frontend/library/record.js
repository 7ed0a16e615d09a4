/**
 * What the library keeps of one model: a row in the browser's database (`Kept`), and one file for each role.
 *
 * @typedef {"model" | "photo" | "thumb" | "receipt"} Role
 * @typedef {{ bytes: number, type: string, sha256: string }} Kind one file: its length, media type and digest (hex)
 * @typedef {{ provider: string, quality: string, triangles: number }} Facts
 * @typedef {Partial<Record<Role, Kind>>} Kinds
 * @typedef {{
 *   job: string, created: string, kept: number, pinned: boolean, name: string, facts: Facts, files: Kinds & { model: Kind }
 * }} Described what is known of a model: `created` is the job's moment (ISO 8601), `kept` ours (ms since the epoch)
 * @typedef {Described & { key: string, owner: string, gone: boolean, folder: string, place: "opfs" | "idb" }} Kept
 */

/** @type {readonly Role[]} */
export const ROLES = ["model", "photo", "thumb", "receipt"];

/** The most bytes that a file of a role may have. @type {Readonly<Record<Role, number>>} */
export const MOST = { model: 256_000_000, photo: 64_000_000, thumb: 300_000, receipt: 256_000 };

/** A thumbnail's longest side in pixels. */
export const THUMB = 160;

export const LONGEST_NAME = 60;

const JOB = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether it has the form of a job's id. @param {unknown} text @returns {text is string} */
export function isJob(text) {
  return typeof text === "string" && JOB.test(text);
}

/** The bytes of all files of a model. @param {{ files: Kinds }} kept */
export function bytesOf(kept) {
  return Object.values(kept.files).reduce((sum, file) => sum + file.bytes, 0);
}

/** A job's number as pages write it: "9f3c-21ab". @param {string} job */
export function short(job) {
  return `${job.slice(0, 4)}-${job.slice(4, 8)}`;
}

/** A file's digest in hex. @param {Blob} file */
export async function sha256(file) {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
