/**
 * The pictures of a model's surfaces: as the files that the GLB holds, byte for byte where they are PNG or JPEG (nothing
 * is lost and nothing grows), and as pixels.
 */

import { Refused } from "./glb.js";

/** @typedef {import("three").Texture} Texture */
/** @typedef {{ scene: import("three").Object3D, parser?: any }} Source */
/** @typedef {{ bytes: Uint8Array, suffix: "png" | "jpg" }} Picture */

/** @type {Record<string, "png" | "jpg">} */
const SUFFIXES = { "image/png": "png", "image/jpeg": "jpg" };

/** A canvas with the texture's picture. @param {Texture} texture */
function drawn(texture) {
  const image = /** @type {any} */ (texture.image);
  if (!image?.width || !image.height) throw new Refused("broken");
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Refused("memory");
  const plain = /** @type {any} */ (texture.mipmaps?.[0])?.data ?? image.data;
  if (plain) {
    context.putImageData(new ImageData(new Uint8ClampedArray(plain), image.width, image.height), 0, 0);
  } else {
    context.drawImage(image, 0, 0);
  }
  return { canvas, context };
}

/**
 * The pixels of a texture, rows from the top, red, green, blue and alpha as bytes.
 * @param {Texture} texture
 * @returns {ImageData}
 */
export function pixels(texture) {
  const { canvas, context } = drawn(texture);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/**
 * The texture's picture as a file.
 * @param {Source} source @param {Texture} texture
 * @returns {Promise<Picture>}
 */
export async function picture({ parser }, texture) {
  const number = parser?.associations.get(texture)?.textures;
  const entry = number === undefined ? null : parser.json.textures[number];
  const image = entry && parser.json.images?.[entry.extensions?.EXT_texture_webp?.source ?? entry.source];
  const suffix = SUFFIXES[image?.mimeType ?? ""];
  if (suffix && image.bufferView !== undefined) {
    return { bytes: new Uint8Array(await parser.getDependency("bufferView", image.bufferView)), suffix };
  }
  const blob = await drawn(texture).canvas.convertToBlob({ type: "image/png" });
  return { bytes: new Uint8Array(await blob.arrayBuffer()), suffix: "png" };
}

/** Gathers pictures once each, under names of their own. */
export class Pictures {
  /** @param {Source} source */
  constructor(source) {
    this.source = source;
    /** @type {Record<string, Uint8Array>} */
    this.files = Object.create(null);
    /** @type {Map<Texture["source"], string>} */
    this.names = new Map();
  }

  /**
   * The name of the texture's file.
   * @param {Texture} texture @param {string} use "colour", "normal"…
   */
  async name(texture, use) {
    const known = this.names.get(texture.source);
    if (known) return known;
    const { bytes, suffix } = await picture(this.source, texture);
    const name = `textures/${use}_${this.names.size + 1}.${suffix}`;
    this.names.set(texture.source, name);
    this.files[name] = bytes;
    return name;
  }
}
