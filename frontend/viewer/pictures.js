/**
 * How large a picture says it is, read from its first bytes: a small file may claim a picture that fills the memory of a
 * phone, and a browser only finds out by trying.
 */

/** @param {Uint8Array} bytes @param {number} at @param {string} text */
const says = (bytes, at, text) => [...text].every((letter, place) => bytes[at + place] === letter.charCodeAt(0));

/** The frames of a JPEG that give its size; 0xc4, 0xc8 and 0xcc are other segments. @param {number} mark */
const isFrame = (mark) => mark >= 0xc0 && mark <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(mark);

/** @param {DataView} view @returns {[number, number] | null} */
function jpeg(view) {
  let at = 2;
  while (at + 9 <= view.byteLength) {
    if (view.getUint8(at) !== 0xff) return null;
    const mark = view.getUint8(at + 1);
    if (mark === 0xff) at += 1;
    else if (isFrame(mark)) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    else at += 2 + view.getUint16(at + 2);
  }
  return null;
}

/** @param {DataView} view @param {Uint8Array} bytes @returns {[number, number] | null} */
function webp(view, bytes) {
  if (says(bytes, 12, "VP8X")) return [(view.getUint32(24, true) & 0xffffff) + 1, (view.getUint32(26, true) >>> 8) + 1];
  if (says(bytes, 12, "VP8L")) {
    const packed = view.getUint32(21, true);
    return [(packed & 0x3fff) + 1, ((packed >>> 14) & 0x3fff) + 1];
  }
  if (says(bytes, 12, "VP8 ")) return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
  return null;
}

/**
 * Width and height in pixels as a PNG, JPEG, WebP or KTX2 file gives them; `null` for anything else.
 * @param {Uint8Array} bytes
 * @returns {[number, number] | null}
 */
export function measured(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 30) return null;
  if (says(bytes, 1, "PNG\r\n")) return [view.getUint32(16), view.getUint32(20)];
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpeg(view);
  if (says(bytes, 0, "RIFF") && says(bytes, 8, "WEBP")) return webp(view, bytes);
  if (says(bytes, 1, "KTX 20")) return [view.getUint32(20, true), view.getUint32(24, true)];
  return null;
}
