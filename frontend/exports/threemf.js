/** 3MF for printing: one piece in millimetres, with colours (materials extension), and nothing about who made it. */

import { zip } from "./archive.js";
import { bake, coloured, hex } from "./baking.js";
import { Refused } from "./glb.js";
import { modelOf } from "./parts.js";
import { piece } from "./printing.js";

const TYPES = `<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>
</Types>
`;
const RELATIONS = `<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Target="/3D/3dmodel.model" Id="rel0" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>
</Relationships>
`;
const CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02";
const MATERIALS = "http://schemas.microsoft.com/3dmanufacturing/material/2015/02";

/** A length in millimetres, to a tenth of a micrometre. @param {number} value */
const millimetres = (value) => String(Number(value.toFixed(4)));

/** The colours of all vertices: each once, and for each vertex, counted through all parts, which. @param {Float32Array[]} baked */
function palette(baked) {
  /** @type {Map<string, number>} */
  const known = new Map();
  const numbers = new Uint32Array(baked.reduce((sum, colours) => sum + colours.length / 3, 0));
  let vertex = 0;
  for (const colours of baked) {
    for (let at = 0; at < colours.length; at += 3) {
      const colour = hex(colours.subarray(at, at + 3));
      const number = known.get(colour) ?? known.size;
      known.set(colour, number);
      numbers[vertex++] = number;
    }
  }
  return { colours: [...known.keys()], numbers };
}

/**
 * @param {{ scene: import("three").Object3D }} gltf @param {import("./sizes.js").Print} print
 * @returns {Promise<Blob>}
 */
export async function threemf(gltf, print) {
  const model = modelOf(gltf);
  const { geometry, corners } = piece(model, print);
  const { colours, numbers } = coloured(model) ? palette(bake(model)) : { colours: [], numbers: corners };
  const positions = geometry.getAttribute("position");
  const index = geometry.getIndex()?.array ?? [];
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<model unit="millimeter" xml:lang="en-US" xmlns="${CORE}" xmlns:m="${MATERIALS}">`,
    "<resources>",
  ];
  if (colours.length) {
    lines.push('<m:colorgroup id="1">', ...colours.map((colour) => `<m:color color="${colour}"/>`), "</m:colorgroup>");
  }
  lines.push(`<object id="2" type="model"${colours.length ? ' pid="1" pindex="0"' : ""}>`, "<mesh>", "<vertices>");
  for (let vertex = 0; vertex < positions.count; vertex++) {
    const [x, y, z] = [positions.getX(vertex), positions.getY(vertex), positions.getZ(vertex)].map(millimetres);
    lines.push(`<vertex x="${x}" y="${y}" z="${z}"/>`);
  }
  lines.push("</vertices>", "<triangles>");
  let triangles = 0;
  for (let at = 0; at < index.length; at += 3) {
    const [one, two, three] = [index[at], index[at + 1], index[at + 2]];
    // Joining vertices can leave slivers without an area, which the format forbids.
    if (one === two || two === three || three === one) continue;
    const [first, second, third] = [0, 1, 2].map((corner) => numbers[corners[at + corner]]);
    const same = first === second && second === third;
    const looks = colours.length ? ` pid="1" p1="${first}"${same ? "" : ` p2="${second}" p3="${third}"`}` : "";
    lines.push(`<triangle v1="${one}" v2="${two}" v3="${three}"${looks}/>`);
    triangles += 1;
  }
  if (triangles === 0) throw new Refused("flat");
  lines.push("</triangles>", "</mesh>", "</object>", "</resources>", '<build><item objectid="2"/></build>', "</model>\n");
  const text = new TextEncoder();
  const files = zip({
    "[Content_Types].xml": text.encode(TYPES),
    "_rels/.rels": text.encode(RELATIONS),
    "3D/3dmodel.model": text.encode(lines.join("\n")),
  });
  return new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (files)], { type: "model/3mf" });
}
