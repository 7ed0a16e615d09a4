/** What a file is, by its first bytes: what a name or a list says of it is not believed. */

import { MOST, THUMB } from "./record.js";

/** @typedef {import("./record.js").Role} Role */

/** So many bytes tell. */
const HEAD = 32;

/** @param {Uint8Array} head @param {number} at @param {string} text */
function says(head, at, text) {
  return Array.from(text).every((letter, place) => head[at + place] === letter.charCodeAt(0));
}

/** The media type of a picture that browsers draw, or "". @param {Uint8Array} head */
function picture(head) {
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return "image/jpeg";
  if (says(head, 0, "\u0089PNG\r\n\u001a\n")) return "image/png";
  if (says(head, 0, "RIFF") && says(head, 8, "WEBP")) return "image/webp";
  if (says(head, 4, "ftypavif")) return "image/avif";
  if (["heic", "heix", "mif1"].some((brand) => says(head, 4, `ftyp${brand}`))) return "image/heic";
  return "";
}

/** Whether a PNG is as small as our thumbnails, so that drawing it costs nothing. @param {DataView} head */
function small(head) {
  return head.byteLength >= 24 && head.getUint32(16) <= THUMB && head.getUint32(20) <= THUMB;
}

/**
 * The media type of a file of that role, or "" where it is not what the role asks for, or larger than it may be.
 * @param {Role} role @param {Blob} file
 */
export async function typeOf(role, file) {
  if (file.size === 0 || file.size > MOST[role]) return "";
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  const numbers = new DataView(head.buffer);
  switch (role) {
    case "model": {
      const whole = head.length >= 12 && numbers.getUint32(4, true) === 2 && numbers.getUint32(8, true) === file.size;
      return says(head, 0, "glTF") && whole ? "model/gltf-binary" : "";
    }
    case "photo":
      return picture(head);
    case "thumb":
      return picture(head) === "image/png" && small(numbers) ? "image/png" : "";
    case "receipt":
      return head[0] === 0x7b ? "application/json" : ""; // {
  }
}
