/** What a file's first bytes say it is, and how many pixels it claims to hold: asked before a decoder sees it. */

/** More pixels than this are not decoded, here or on the server. */
export const MOST_PIXELS = 50_000_000;

/** The brands of files that HEVC pictures come in, as against AVIF. */
const HEIC = /^(hei[cxms]|mif[12]|hev[cxms]|msf1)$/;

/** @param {Uint8Array} bytes @param {number} from @param {number} to */
const letters = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

/**
 * The kind of picture.
 * @param {Uint8Array} bytes the first 64 at least
 * @returns {"jpeg" | "png" | "webp" | "heic" | "avif" | "other"}
 */
export function kindOf(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "jpeg";
  if (letters(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return "png";
  if (letters(bytes, 0, 4) === "RIFF" && letters(bytes, 8, 12) === "WEBP") return "webp";
  if (letters(bytes, 4, 8) !== "ftyp") return "other";
  const end = Math.min(bytes.length, new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), 64);
  const brands = [letters(bytes, 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(letters(bytes, at, at + 4));
  if (/^avi[fs]$/.test(brands[0])) return "avif";
  if (brands.includes("avif") && !/^he/.test(brands[0])) return "avif";
  return brands.some((brand) => HEIC.test(brand)) ? "heic" : "other";
}

/**
 * How many pixels the file says it holds; 0 where it does not say.
 * @param {Uint8Array} bytes
 */
export function pixelsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    switch (kindOf(bytes)) {
      case "png":
        return view.getUint32(16) * view.getUint32(20);
      case "jpeg":
        return ofJpeg(view);
      case "webp":
        return ofWebp(bytes, view);
      case "heic":
      case "avif":
        return ofItems(bytes, view);
      default:
        return 0;
    }
  } catch (problem) {
    if (problem instanceof RangeError) return 0; // cut short
    throw problem;
  }
}

/** By its start of frame, of any coding; C4, C8 and CC among these marks mean something else. @param {DataView} view */
function ofJpeg(view) {
  for (let at = 2; view.getUint8(at) === 0xff; ) {
    const mark = view.getUint8(at + 1);
    if (mark === 0xff) at += 1; // marks may be filled up
    else if (mark >= 0xc0 && mark <= 0xcf && mark !== 0xc4 && mark !== 0xc8 && mark !== 0xcc) {
      return view.getUint16(at + 5) * view.getUint16(at + 7);
    } else at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  return 0;
}

/** By the first chunk, of three kinds. @param {Uint8Array} bytes @param {DataView} view */
function ofWebp(bytes, view) {
  const kind = letters(bytes, 12, 16);
  if (kind === "VP8X") {
    const [wide, high] = [24, 27].map((at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16) + 1);
    return wide * high;
  }
  if (kind === "VP8L") {
    const packed = view.getUint32(21, true);
    return ((packed & 0x3fff) + 1) * (((packed >>> 14) & 0x3fff) + 1);
  }
  return (view.getUint16(26, true) & 0x3fff) * (view.getUint16(28, true) & 0x3fff);
}

/** The largest size of any item, tiles and whole pictures alike. @param {Uint8Array} bytes @param {DataView} view */
function ofItems(bytes, view) {
  let most = 0;
  for (let at = bytes.indexOf(0x69); at >= 0 && at + 16 <= bytes.length; at = bytes.indexOf(0x69, at + 1)) {
    if (letters(bytes, at, at + 4) === "ispe") most = Math.max(most, view.getUint32(at + 8) * view.getUint32(at + 12));
  }
  return most;
}
