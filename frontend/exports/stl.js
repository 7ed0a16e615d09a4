/** Binary STL for printing: the shape alone, in millimetres. */

import { Mesh } from "three";
import { STLExporter } from "three/examples/jsm/exporters/STLExporter.js";

import { modelOf } from "./parts.js";
import { piece } from "./printing.js";

/**
 * @param {{ scene: import("three").Object3D }} gltf @param {import("./sizes.js").Print} print
 * @returns {Promise<Blob>}
 */
export async function stl(gltf, print) {
  const { geometry } = piece(modelOf(gltf), print);
  const bytes = new STLExporter().parse(new Mesh(geometry), { binary: true });
  return new Blob([/** @type {DataView<ArrayBuffer>} */ (bytes)], { type: "model/stl" });
}
