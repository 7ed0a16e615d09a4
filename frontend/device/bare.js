/**
 * A picture that a canvas has written, without anything but pixels.
 *
 * Browsers add parts of their own (Safari an EXIF block with the size, others a colour profile). The pixels are sRGB,
 * which every reader assumes of a file that says nothing.
 */

const JFIF = 0xe0; // the header that old readers want
const ADOBE = 0xee; // says how colours are coded, without which some files are read wrongly
const SCAN = 0xda;
const PNG_PARTS = new Set(["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]);

/**
 * The same JPEG or PNG with its pixels alone. Throws an Error where the file is none of ours.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Uint8Array<ArrayBuffer>[]} pieces to put together
 */
export function bare(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes[0] === 0xff ? jpeg(bytes, view) : png(bytes, view);
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {DataView} view */
function jpeg(bytes, view) {
  const kept = [bytes.subarray(0, 2)];
  let at = 2;
  for (;;) {
    if (view.getUint8(at) !== 0xff) throw new Error("not a JPEG as canvases write it");
    const mark = view.getUint8(at + 1);
    if (mark === SCAN) break;
    const end = at + 2 + view.getUint16(at + 2);
    const application = mark >= 0xe0 && mark <= 0xef;
    const comment = mark === 0xfe;
    if (!(application || comment) || mark === JFIF || mark === ADOBE) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return [...kept, bytes.subarray(at)];
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {DataView} view */
function png(bytes, view) {
  const kept = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const end = at + 12 + view.getUint32(at);
    if (PNG_PARTS.has(String.fromCharCode(...bytes.subarray(at + 4, at + 8)))) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return kept;
}
