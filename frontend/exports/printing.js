/**
 * A model as 3D printers want it: one piece in millimetres, its longest side as long as was chosen, Z upwards, in the
 * corner of the plate (no coordinate below 0), and vertices that lie in one place joined.
 */

import { BufferAttribute, BufferGeometry } from "three";
import { mergeVertices } from "three/examples/jsm/utils/BufferGeometryUtils.js";

import { Refused } from "./glb.js";

/** @typedef {import("./parts.js").Model} Model */
/** @typedef {import("./sizes.js").Print} Print */

/** Vertices nearer than that are one: a printer sees hundredths. */
const SAME_MM = 0.0005;

/**
 * All parts as one piece; `corners` says for each corner of a triangle which vertex it was before vertices were joined,
 * counted through all parts.
 * @param {Model} model @param {Print} print
 * @returns {{ geometry: BufferGeometry, corners: Uint32Array }}
 */
export function piece(model, { longest, up }) {
  const { parts, least, most } = model;
  const size = most.clone().sub(least);
  const side = Math.max(size.x, size.y, size.z);
  if (!(side > 0)) throw new Refused("flat");
  const scale = longest / side;
  const positions = new Float32Array(parts.reduce((sum, part) => sum + part.positions.length, 0));
  const index = new Uint32Array(parts.reduce((sum, part) => sum + part.index.length, 0));
  let [vertices, triangles] = [0, 0];
  for (const part of parts) {
    for (let at = 0; at < part.positions.length; at += 3) {
      const x = (part.positions[at] - least.x) * scale;
      const y = (part.positions[at + 1] - least.y) * scale;
      const z = (part.positions[at + 2] - least.z) * scale;
      // Y up becomes Z up by a quarter turn: what pointed at us points at us still.
      positions.set(up === "z" ? [x, size.z * scale - z, y] : [x, y, z], vertices * 3 + at);
    }
    index.set(part.index.map((vertex) => vertex + vertices), triangles);
    vertices += part.positions.length / 3;
    triangles += part.index.length;
  }
  const loose = new BufferGeometry().setAttribute("position", new BufferAttribute(positions, 3));
  return { geometry: mergeVertices(loose.setIndex(new BufferAttribute(index, 1)), SAME_MM), corners: index };
}
