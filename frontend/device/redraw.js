/**
 * A file becomes pixels and nothing else: decoded upright, turned, cut to a part, scaled, and written anew.
 *
 * Runs in the worker; where there is none, on the page.
 */

import { bare } from "./bare.js";
import { kindOf, MOST_PIXELS, pixelsOf } from "./headers.js";
import { plan } from "./sizes.js";

/** @typedef {import("./sizes.js").Shape} Shape */
/** @typedef {(bytes: Uint8Array<ArrayBuffer>) => Promise<ImageData>} Decoder */

/** A file that this device makes no picture of; `code` says why: "pixels", "kind", "damaged" or "guarded". */
export class NoPicture extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** Of a JPEG: one can no longer tell it from the original. */
const QUALITY = 0.92;

/**
 * The picture in a file, drawn upright. Throws NoPicture.
 * @param {Blob} file
 * @param {Shape} shape
 * @param {Decoder | null} heic for a browser that cannot read HEIC itself
 * @returns {Promise<OffscreenCanvas>}
 */
export async function draw(file, shape, heic) {
  if (!honest()) throw new NoPicture("guarded");
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (pixelsOf(bytes) > MOST_PIXELS) throw new NoPicture("pixels");
  const picture = await decode(file, bytes, heic);
  if (picture.width * picture.height > MOST_PIXELS) throw new NoPicture("pixels");
  const { width, height, matrix } = plan(picture.width, picture.height, shape);
  const canvas = new OffscreenCanvas(width, height);
  const pen = penOf(canvas);
  pen.imageSmoothingQuality = "high";
  pen.setTransform(...matrix);
  pen.drawImage(picture, 0, 0);
  picture.close();
  return canvas;
}

/** @param {Blob} file @param {Uint8Array<ArrayBuffer>} bytes @param {Decoder | null} heic */
async function decode(file, bytes, heic) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    const kind = kindOf(bytes);
    if (kind === "other") throw new NoPicture("kind");
    if (kind !== "heic" || !heic) throw new NoPicture("damaged");
    try {
      return await createImageBitmap(await heic(bytes));
    } catch {
      throw new NoPicture("damaged");
    }
  }
}

/** What draws on a canvas whose pixels will be asked for. @param {OffscreenCanvas} canvas */
export function penOf(canvas) {
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) throw new NoPicture("guarded");
  return pen;
}

/**
 * The drawn picture as a file without tags: JPEG, or PNG where something is transparent.
 * @param {OffscreenCanvas} canvas
 * @param {boolean} transparent
 */
export async function write(canvas, transparent) {
  const type = transparent ? "image/png" : "image/jpeg";
  const written = await canvas.convertToBlob({ type, quality: QUALITY });
  return new Blob(bare(new Uint8Array(await written.arrayBuffer())), { type });
}

/** Whether a canvas gives back what was drawn: some browsers answer with noise, to make themselves harder to recognise. */
function honest() {
  const canvas = new OffscreenCanvas(8, 8);
  const pen = penOf(canvas);
  const drawn = new ImageData(8, 8);
  drawn.data.forEach((_, at) => (drawn.data[at] = at % 4 === 3 ? 255 : (at * 37) % 256));
  pen.putImageData(drawn, 0, 0);
  const seen = pen.getImageData(0, 0, 8, 8).data;
  return seen.every((value, at) => Math.abs(value - drawn.data[at]) <= 3);
}
