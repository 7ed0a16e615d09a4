/** OBJ with its materials (MTL) and pictures, in one ZIP. Metres, Y up, as in the GLB. */

import { screen } from "./baking.js";
import { short, zip } from "./archive.js";
import { modelOf } from "./parts.js";
import { Pictures } from "./pictures.js";

/** @typedef {import("./parts.js").Part} Part */
/** @typedef {import("./parts.js").Surface} Surface */

/** @param {ArrayLike<number>} values */
const line = (values) => Array.from(values, short).join(" ");

/**
 * One part's lines. OBJ counts vertices from 1, through the whole file.
 * @param {Part} part @param {number} number @param {{ v: number, vt: number, vn: number }} before
 */
function lines(part, number, before) {
  const { positions, normals, uvs, colours, index } = part;
  const found = [`o part_${number + 1}`, `usemtl material_${part.surface + 1}`];
  const vertices = positions.length / 3;
  for (let at = 0; at < vertices; at++) {
    // Colours behind a vertex are no part of the first specification; who does not know them skips them.
    const colour = colours ? ` ${line(screen(colours.subarray(at * 3, at * 3 + 3)))}` : "";
    found.push(`v ${line(positions.subarray(at * 3, at * 3 + 3))}${colour}`);
  }
  for (let at = 0; uvs && at < vertices; at++) found.push(`vt ${short(uvs[at * 2])} ${short(1 - uvs[at * 2 + 1])}`);
  for (let at = 0; normals && at < vertices; at++) found.push(`vn ${line(normals.subarray(at * 3, at * 3 + 3))}`);
  const corner = (/** @type {number} */ vertex) => {
    const [v, vt, vn] = [before.v + vertex, uvs ? before.vt + vertex : "", normals ? before.vn + vertex : ""];
    if (normals) return `${v}/${vt}/${vn}`;
    return uvs ? `${v}/${vt}` : `${v}`;
  };
  for (let at = 0; at < index.length; at += 3) {
    found.push(`f ${corner(index[at])} ${corner(index[at + 1])} ${corner(index[at + 2])}`);
  }
  before.v += vertices;
  before.vt += uvs ? vertices : 0;
  before.vn += normals ? vertices : 0;
  return found.join("\n");
}

/** One material. @param {Surface} surface @param {number} number @param {Pictures} pictures */
async function material(surface, number, pictures) {
  const found = [
    `newmtl material_${number + 1}`,
    `Kd ${line(screen(surface.colour.toArray()))}`,
    `Ke ${line(screen(surface.emissive.toArray()))}`,
    `d ${short(surface.clear ? surface.opacity : 1)}`,
    `Pr ${short(surface.roughness)}`,
    `Pm ${short(surface.metalness)}`,
    "illum 2",
  ];
  if (surface.map) found.push(`map_Kd ${await pictures.name(surface.map, "colour")}`);
  if (surface.emissiveMap) found.push(`map_Ke ${await pictures.name(surface.emissiveMap, "glow")}`);
  if (surface.normalMap) found.push(`norm ${await pictures.name(surface.normalMap, "normal")}`);
  return `${found.join("\n")}\n`;
}

/**
 * @param {import("./pictures.js").Source} gltf
 * @returns {Promise<Blob>}
 */
export async function obj(gltf) {
  const { parts, surfaces } = modelOf(gltf);
  const pictures = new Pictures(gltf);
  const before = { v: 1, vt: 1, vn: 1 };
  const shape = parts.map((part, number) => `${lines(part, number, before)}\n`);
  const materials = [];
  for (const [number, surface] of surfaces.entries()) materials.push(await material(surface, number, pictures));
  const files = zip({
    "model.obj": new TextEncoder().encode(`mtllib model.mtl\n${shape.join("")}`),
    "model.mtl": new TextEncoder().encode(materials.join("\n")),
    ...pictures.files,
  });
  return new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (files)], { type: "application/zip" });
}
