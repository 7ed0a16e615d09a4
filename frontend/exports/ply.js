/** Binary PLY, little-endian, with a colour at each vertex. Metres, Y up, as in the GLB. */

import { BufferAttribute, BufferGeometry, Group, Mesh } from "three";
import { PLYExporter } from "three/examples/jsm/exporters/PLYExporter.js";

import { bake, coloured } from "./baking.js";
import { Refused } from "./glb.js";
import { modelOf } from "./parts.js";

/**
 * @param {{ scene: import("three").Object3D }} gltf
 * @returns {Promise<Blob>}
 */
export async function ply(gltf) {
  const model = modelOf(gltf);
  const colours = coloured(model) ? bake(model) : null;
  const group = new Group();
  for (const [number, part] of model.parts.entries()) {
    const geometry = new BufferGeometry().setAttribute("position", new BufferAttribute(part.positions, 3));
    if (part.normals) geometry.setAttribute("normal", new BufferAttribute(part.normals, 3));
    if (colours) geometry.setAttribute("color", new BufferAttribute(colours[number], 3));
    group.add(new Mesh(geometry.setIndex(new BufferAttribute(part.index, 1))));
  }
  const bytes = new PLYExporter().parse(group, () => {}, { binary: true, littleEndian: true });
  if (!bytes) throw new Refused("broken");
  return new Blob([/** @type {ArrayBuffer} */ (bytes)], { type: "application/octet-stream" });
}
