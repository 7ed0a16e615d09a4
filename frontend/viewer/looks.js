/** The ways a model can be looked at: its colours, its bare shape, its mesh, its normals, how its texture lies on it. */

import { CanvasTexture, Color, DoubleSide, MeshBasicMaterial, MeshNormalMaterial, MeshStandardMaterial, RepeatWrapping, SRGBColorSpace } from "three";

import { isMesh } from "./opening.js";

/** @typedef {"colour" | "clay" | "wire" | "normals" | "checker"} Look */
/** @typedef {import("three").Material | import("three").Material[]} Dress */
/** @type {readonly Look[]} */
export const LOOKS = ["colour", "clay", "wire", "normals", "checker"];

const CLAY = 0xc9c6c0;
const CELLS = 8;
const CELL_PX = 128;

/** Eight by eight numbered fields: where they are stretched, twisted or mirrored, so is the texture. */
function checker() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = CELLS * CELL_PX;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas");
  pen.font = `700 ${CELL_PX * 0.42}px sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (let row = 0; row < CELLS; row += 1) {
    for (let column = 0; column < CELLS; column += 1) {
      const dark = (row + column) % 2 === 1;
      pen.fillStyle = `hsl(${(column / CELLS) * 300} ${dark ? 52 : 38}% ${dark ? 40 + row * 2 : 78 + row}%)`;
      pen.fillRect(column * CELL_PX, row * CELL_PX, CELL_PX, CELL_PX);
      pen.fillStyle = dark ? "#ffffff" : "#10201a";
      pen.fillText(`${"ABCDEFGH"[row]}${column + 1}`, (column + 0.5) * CELL_PX, (row + 0.54) * CELL_PX);
    }
  }
  const texture = new CanvasTexture(canvas);
  texture.flipY = false;
  texture.wrapS = texture.wrapT = RepeatWrapping;
  texture.colorSpace = SRGBColorSpace;
  texture.anisotropy = 4;
  return texture;
}

/** Dresses the meshes of one model; the materials it came with stay as they are. */
export class Wardrobe {
  /** @param {import("three").Object3D} model */
  constructor(model) {
    /** @type {Map<import("three").Mesh, Dress>} */
    this.own = new Map();
    model.traverse((object) => {
      if (isMesh(object)) this.own.set(object, object.material);
    });
    /** @type {import("three").Material[]} */
    this.made = [];
    /** @type {CanvasTexture | null} */
    this.checker = null;
    /** For the lines of a mesh, drawn over it. */
    this.wire = new MeshBasicMaterial({ wireframe: true, transparent: true, opacity: 0.5, toneMapped: false });
  }

  /**
   * @param {Look} look
   * @param {{ink: string, sheet: string}} colours of the page, for lines and what they lie on
   */
  wear(look, { ink, sheet }) {
    for (const material of this.made.splice(0)) material.dispose();
    this.wire.color = new Color(ink);
    for (const [mesh, own] of this.own) mesh.material = look === "colour" ? own : this.sewn(look, mesh, own, sheet);
  }

  /** @param {Look} look @param {import("three").Mesh} mesh @param {Dress} own @param {string} sheet */
  sewn(look, mesh, own, sheet) {
    const first = /** @type {MeshStandardMaterial} */ (Array.isArray(own) ? own[0] : own);
    // Without normals each triangle gets one of its own.
    const flatShading = !("normal" in mesh.geometry.attributes);
    let material;
    if (look === "wire") {
      material = new MeshBasicMaterial({ color: sheet, toneMapped: false, polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1 });
    } else if (look === "normals") {
      material = new MeshNormalMaterial({ flatShading, normalMap: first.normalMap ?? null, normalScale: first.normalScale });
    } else if (look === "checker" && "uv" in mesh.geometry.attributes) {
      this.checker ??= checker();
      material = new MeshStandardMaterial({ map: this.checker, roughness: 0.75, flatShading });
    } else {
      material = new MeshStandardMaterial({ color: CLAY, roughness: 0.88, flatShading });
    }
    material.side = first.side ?? DoubleSide;
    this.made.push(material);
    return material;
  }

  /** Gives the graphics card's memory back. */
  dispose() {
    for (const material of this.made) material.dispose();
    this.wire.dispose();
    this.checker?.dispose();
  }
}
