/** USDZ for iPhone, iPad and Mac: metres, Y up, the pictures as they are in the GLB. */

import { alignedZip, short } from "./archive.js";
import { modelOf } from "./parts.js";
import { Pictures } from "./pictures.js";

/** @typedef {import("./parts.js").Part} Part */
/** @typedef {import("./parts.js").Surface} Surface */
/** @typedef {import("three").Texture} Texture */

const HEAD = `#usda 1.0
(
    defaultPrim = "Model"
    metersPerUnit = 1
    upAxis = "Y"
)

def Xform "Model" (
    kind = "component"
)
{
`;
/** @type {Record<number, string>} what three calls its ways to go on beyond a picture's edge */
const WRAPS = { 1000: "repeat", 1001: "clamp", 1002: "mirror" };

/** "(1, 2), (3, 4)". @param {ArrayLike<number>} values @param {number} together */
function tuples(values, together) {
  const found = [];
  for (let at = 0; at < values.length; at += together) {
    found.push(`(${Array.from({ length: together }, (_, one) => short(values[at + one])).join(", ")})`);
  }
  return found.join(", ");
}

/** @param {Part} part @param {number} number @param {Surface} surface */
function mesh(part, number, surface) {
  const { positions, normals, uvs, colours, index } = part;
  const ends = [Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity];
  for (let at = 0; at < positions.length; at++) {
    ends[at % 3] = Math.min(ends[at % 3], positions[at]);
    ends[3 + (at % 3)] = Math.max(ends[3 + (at % 3)], positions[at]);
  }
  const perVertex = '(\n            interpolation = "vertex"\n        )';
  const tint = surface.colour.toArray();
  const paint = colours?.map((value, at) => value * tint[at % 3]);
  const upwards = uvs?.map((value, at) => (at % 2 ? 1 - value : value));
  const lines = [
    `        uniform bool doubleSided = ${surface.bothSides ? 1 : 0}`,
    `        float3[] extent = [${tuples(ends, 3)}]`,
    `        int[] faceVertexCounts = [${new Array(index.length / 3).fill(3).join(", ")}]`,
    `        int[] faceVertexIndices = [${index.join(", ")}]`,
    `        point3f[] points = [${tuples(positions, 3)}]`,
    ...(normals ? [`        normal3f[] normals = [${tuples(normals, 3)}] ${perVertex}`] : []),
    ...(upwards ? [`        texCoord2f[] primvars:st = [${tuples(upwards, 2)}] ${perVertex}`] : []),
    ...(paint ? [`        color3f[] primvars:displayColor = [${tuples(paint, 3)}] ${perVertex}`] : []),
    `        rel material:binding = </Model/Materials/Material_${part.surface + 1}>`,
    '        uniform token subdivisionScheme = "none"',
  ];
  const head = `    def Mesh "Part_${number + 1}" (\n        prepend apiSchemas = ["MaterialBindingAPI"]\n    )\n    {\n`;
  return `${head}${lines.join("\n")}\n    }\n`;
}

/** One material's shaders, connected. */
class Material {
  /** @param {number} number @param {Pictures} pictures */
  constructor(number, pictures) {
    this.name = `Material_${number + 1}`;
    this.pictures = pictures;
    /** @type {string[]} */
    this.inputs = [];
    /** @type {string[]} */
    this.shaders = [];
    this.reads = false;
  }

  /** @param {string} name @param {string} id @param {string[]} lines */
  shader(name, id, lines) {
    const inside = [`uniform token info:id = "${id}"`, ...lines].map((line) => `                ${line}\n`).join("");
    this.shaders.push(`            def Shader "${name}"\n            {\n${inside}            }\n`);
  }

  /** The address of another shader's output. @param {string} shader @param {string} output */
  at(shader, output) {
    return `</Model/Materials/${this.name}/${shader}.outputs:${output}>`;
  }

  /**
   * A picture, for `inputs` as type and name on the surface's side and output on the picture's.
   * @param {Texture} texture @param {string} use @param {[string, string, string][]} inputs
   * @param {number[]} scale @param {number[]} bias
   */
  async picture(texture, use, inputs, scale, bias = [0, 0, 0, 0]) {
    const file = await this.pictures.name(texture, use);
    const name = `${use[0].toUpperCase()}${use.slice(1)}`;
    this.reads = true;
    this.shader(name, "UsdUVTexture", [
      `asset inputs:file = @${file}@`,
      `token inputs:sourceColorSpace = "${["colour", "glow"].includes(use) ? "sRGB" : "raw"}"`,
      `float2 inputs:st.connect = ${this.at("Coordinates", "result")}`,
      `token inputs:wrapS = "${WRAPS[texture.wrapS] ?? "repeat"}"`,
      `token inputs:wrapT = "${WRAPS[texture.wrapT] ?? "repeat"}"`,
      `float4 inputs:scale = ${tuples(scale, 4)}`,
      `float4 inputs:bias = ${tuples(bias, 4)}`,
      "float3 outputs:rgb",
      ...["r", "g", "b", "a"].map((channel) => `float outputs:${channel}`),
    ]);
    for (const [type, input, output] of inputs) {
      this.inputs.push(`${type} inputs:${input}.connect = ${this.at(name, output)}`);
    }
  }

  /** @param {Surface} surface @param {boolean} laid whether pictures can be laid on @param {boolean} painted by vertices */
  async write(surface, laid, painted) {
    const { colour, emissive, opacity, cutoff, clear } = surface;
    const seeThrough = clear || cutoff > 0;
    if (surface.map && laid) {
      /** @type {[string, string, string][]} */
      const inputs = [["color3f", "diffuseColor", "rgb"]];
      if (seeThrough) inputs.push(["float", "opacity", "a"]);
      await this.picture(surface.map, "colour", inputs, [...colour.toArray(), clear ? opacity : 1]);
    } else if (painted) {
      this.inputs.push(`color3f inputs:diffuseColor.connect = ${this.at("Paint", "result")}`);
      const lines = ['string inputs:varname = "displayColor"', "float3 outputs:result"];
      this.shader("Paint", "UsdPrimvarReader_float3", lines);
    } else {
      this.inputs.push(`color3f inputs:diffuseColor = ${tuples(colour.toArray(), 3)}`);
    }
    if (!(surface.map && laid && seeThrough)) this.inputs.push(`float inputs:opacity = ${short(clear ? opacity : 1)}`);
    if (cutoff > 0) this.inputs.push(`float inputs:opacityThreshold = ${short(cutoff)}`);
    if (surface.roughnessMap && laid) {
      /** @type {[string, string, string][]} */
      const inputs = [["float", "roughness", "g"], ["float", "metallic", "b"]];
      await this.picture(surface.roughnessMap, "rough", inputs, [1, surface.roughness, surface.metalness, 1]);
    } else {
      this.inputs.push(`float inputs:roughness = ${short(surface.roughness)}`);
      this.inputs.push(`float inputs:metallic = ${short(surface.metalness)}`);
    }
    if (surface.normalMap && laid) {
      const bend = surface.normalScale;
      const [scale, bias] = [[2 * bend, 2 * bend, 2, 1], [-bend, -bend, -1, 0]];
      await this.picture(surface.normalMap, "normal", [["normal3f", "normal", "rgb"]], scale, bias);
    }
    if (surface.occlusionMap && laid) {
      const [scale, bias] = [surface.occlusion, 1 - surface.occlusion];
      await this.picture(surface.occlusionMap, "shade", [["float", "occlusion", "r"]], [scale, 1, 1, 1], [bias, 0, 0, 0]);
    }
    if (surface.emissiveMap && laid) {
      const inputs = /** @type {[string, string, string][]} */ ([["color3f", "emissiveColor", "rgb"]]);
      await this.picture(surface.emissiveMap, "glow", inputs, [...emissive.toArray(), 1]);
    } else if (emissive.r + emissive.g + emissive.b > 0) {
      this.inputs.push(`color3f inputs:emissiveColor = ${tuples(emissive.toArray(), 3)}`);
    }
    this.shader("Surface", "UsdPreviewSurface", [...this.inputs, "int inputs:useSpecularWorkflow = 0", "token outputs:surface"]);
    if (this.reads) {
      this.shader("Coordinates", "UsdPrimvarReader_float2", ['string inputs:varname = "st"', "float2 outputs:result"]);
    }
    const head = `        def Material "${this.name}"\n        {\n`;
    const shown = `            token outputs:surface.connect = ${this.at("Surface", "surface")}\n`;
    return `${head}${shown}${this.shaders.join("")}        }\n`;
  }
}

/**
 * @param {import("./pictures.js").Source} gltf
 * @returns {Promise<Blob>}
 */
export async function usdz(gltf) {
  const { parts, surfaces } = modelOf(gltf);
  const pictures = new Pictures(gltf);
  const materials = [];
  for (const [number, surface] of surfaces.entries()) {
    const using = parts.filter((part) => part.surface === number);
    const [laid, painted] = [using.some((part) => part.uvs), using.some((part) => part.colours)];
    materials.push(await new Material(number, pictures).write(surface, laid, painted));
  }
  const text = [
    HEAD,
    `    def Scope "Materials"\n    {\n${materials.join("")}    }\n`,
    ...parts.map((part, number) => mesh(part, number, surfaces[part.surface])),
    "}\n",
  ];
  const files = alignedZip({ "model.usda": new TextEncoder().encode(text.join("")), ...pictures.files });
  return new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (files)], { type: "model/vnd.usdz+zip" });
}
