/** The colour at each vertex: the surface's own, times its picture's there, times the vertex's. */

import { Color, SRGBColorSpace } from "three";

import { pixels } from "./pictures.js";

/** @typedef {import("./parts.js").Model} Model */
/** @typedef {import("./parts.js").Part} Part */

/** Of every byte, how much light it is. */
const LIGHT = Float32Array.from({ length: 256 }, (_, byte) => new Color().setRGB(byte / 255, 0, 0, SRGBColorSpace).r);

/** Where a coordinate lies in a picture that repeats. @param {number} at @param {number} size */
const within = (at, size) => ((at % size) + size) % size;

/**
 * The light at a point of a picture, between its four nearest pixels.
 * @param {ImageData} image @param {number} u @param {number} v downwards @param {Float32Array} into three numbers
 */
export function sample(image, u, v, into) {
  const { width, height, data } = image;
  const [x, y] = [u * width - 0.5, v * height - 0.5];
  const [left, top] = [Math.floor(x), Math.floor(y)];
  into.fill(0);
  for (const [column, across] of [[left, left + 1 - x], [left + 1, x - left]]) {
    for (const [row, down] of [[top, top + 1 - y], [top + 1, y - top]]) {
      const first = (within(row, height) * width + within(column, width)) * 4;
      for (let channel = 0; channel < 3; channel++) into[channel] += LIGHT[data[first + channel]] * across * down;
    }
  }
}

/**
 * Linear red, green and blue for each vertex of each part.
 * @param {Model} model
 * @returns {Float32Array[]}
 */
export function bake({ parts, surfaces }) {
  /** @type {Map<number, ImageData>} */
  const known = new Map();
  return parts.map((part) => {
    const { map, colour } = surfaces[part.surface];
    const image = map && part.uvs ? (known.get(part.surface) ?? pixels(map)) : null;
    if (image) known.set(part.surface, image);
    const baked = new Float32Array(part.positions.length);
    const light = new Float32Array([1, 1, 1]);
    for (let vertex = 0; vertex < baked.length / 3; vertex++) {
      if (image && part.uvs) sample(image, part.uvs[vertex * 2], part.uvs[vertex * 2 + 1], light);
      const own = part.colours ? part.colours.subarray(vertex * 3, vertex * 3 + 3) : [1, 1, 1];
      baked[vertex * 3] = light[0] * own[0] * colour.r;
      baked[vertex * 3 + 1] = light[1] * own[1] * colour.g;
      baked[vertex * 3 + 2] = light[2] * own[2] * colour.b;
    }
    return baked;
  });
}

/** A linear colour as screens take it, three numbers from 0 to 1. @param {Iterable<number>} linear */
export function screen([red, green, blue]) {
  const { r, g, b } = new Color(red, green, blue).getRGB({ r: 0, g: 0, b: 0 }, SRGBColorSpace);
  return [r, g, b].map((part) => Math.min(1, Math.max(0, part)));
}

/** A linear colour as "#RRGGBB". @param {Iterable<number>} linear */
export function hex(linear) {
  return `#${screen(linear)
    .map((part) => Math.round(part * 255).toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase()}`;
}

/** Whether a model has any colour to bake: a picture, colours of vertices, or a surface that is not white. @param {Model} model */
export function coloured({ parts, surfaces }) {
  const white = new Color(1, 1, 1);
  return parts.some((part) => {
    const { map, colour } = surfaces[part.surface];
    return map !== null || part.colours !== null || !colour.equals(white);
  });
}
