/**
 * A scene as plain parts: each drawn mesh once, in the scene's coordinates (metres, Y up), facing outwards, with what its
 * surface looks like. Everything that exports stands on this, so that transforms, mirrored nodes, instances, bones and
 * materials of other kinds are dealt with in one place.
 */

import { BufferAttribute, BufferGeometry, Color, Matrix3, Matrix4, Vector2, Vector3 } from "three";

import { Refused } from "./glb.js";

/** @typedef {import("three").Mesh<import("three").BufferGeometry, any>} Mesh */
/** @typedef {import("three").Texture} Texture */
/**
 * What a material says, colours linear.
 * @typedef {{
 *   colour: Color, opacity: number, cutoff: number, clear: boolean, metalness: number, roughness: number,
 *   emissive: Color, map: Texture | null, normalMap: Texture | null, normalScale: number, roughnessMap: Texture | null,
 *   occlusionMap: Texture | null, occlusion: number, emissiveMap: Texture | null, bothSides: boolean
 * }} Surface
 */
/**
 * Three numbers for each vertex (two of `uvs`, whose v runs downwards), three vertices for each triangle.
 * @typedef {{
 *   positions: Float32Array, normals: Float32Array | null, uvs: Float32Array | null, colours: Float32Array | null,
 *   index: Uint32Array, surface: number
 * }} Part
 */
/** @typedef {{ parts: Part[], surfaces: Surface[], triangles: number, least: Vector3, most: Vector3 }} Model */

/** A file that holds more would fill a phone's memory several times over. */
const MOST_TRIANGLES = 4_000_000;

/** @param {any} material @returns {Surface} */
function surfaceOf(material) {
  const map = material?.map ?? null;
  // Another picture that is laid on by other coordinates would come out shifted: better without it.
  const alike = (/** @type {Texture | null | undefined} */ texture) =>
    texture && texture.channel === (map ?? texture).channel ? texture : null;
  return {
    colour: material?.color?.isColor ? material.color.clone() : new Color(1, 1, 1),
    opacity: material?.opacity ?? 1,
    cutoff: material?.alphaTest ?? 0,
    clear: material?.transparent === true,
    metalness: material?.metalness ?? 0,
    roughness: material?.roughness ?? 1,
    emissive: (material?.emissive?.isColor ? material.emissive.clone() : new Color(0, 0, 0)).multiplyScalar(
      material?.emissiveIntensity ?? 1,
    ),
    map,
    normalMap: alike(material?.normalMap),
    normalScale: material?.normalScale?.x ?? 1,
    roughnessMap: alike(material?.roughnessMap),
    occlusionMap: alike(material?.aoMap),
    occlusion: material?.aoMapIntensity ?? 1,
    emissiveMap: alike(material?.emissiveMap),
    bothSides: material?.side === 2,
  };
}

/** The coordinates by which a surface's pictures are laid on. @param {Mesh} mesh @param {Surface} surface */
function uvsOf(mesh, surface) {
  const laid = surface.map ?? surface.normalMap ?? surface.roughnessMap ?? surface.occlusionMap ?? surface.emissiveMap;
  const found = /** @type {any} */ (laid && mesh.geometry.getAttribute(laid.channel ? `uv${laid.channel}` : "uv"));
  if (!laid || !found) return null;
  laid.updateMatrix();
  const [uvs, uv] = [new Float32Array(found.count * 2), new Vector2()];
  for (let vertex = 0; vertex < found.count; vertex++) {
    uv.fromBufferAttribute(found, vertex).applyMatrix3(laid.matrix).toArray(uvs, vertex * 2);
  }
  return uvs;
}

/** @param {Mesh} mesh */
function coloursOf(mesh) {
  const found = mesh.geometry.getAttribute("color");
  if (!found) return null;
  const colours = new Float32Array(found.count * 3);
  for (let vertex = 0; vertex < found.count; vertex++) {
    colours.set([found.getX(vertex), found.getY(vertex), found.getZ(vertex)], vertex * 3);
  }
  return colours;
}

/** The triangles, turned round where a mirroring transform turned them inside out. @param {Mesh} mesh @param {boolean} mirrored */
function indexOf(mesh, mirrored) {
  const { index: given, attributes } = mesh.geometry;
  const vertices = attributes.position.count;
  const count = Math.floor((given ? given.count : vertices) / 3) * 3;
  const index = new Uint32Array(count);
  for (let corner = 0; corner < count; corner++) index[corner] = given ? given.getX(corner) : corner;
  if (index.some((vertex) => vertex >= vertices)) throw new Refused("broken");
  for (let first = 0; mirrored && first < count; first += 3) {
    [index[first + 1], index[first + 2]] = [index[first + 2], index[first + 1]];
  }
  return index;
}

/**
 * @param {any} mesh @param {Matrix4} matrix from the mesh to the scene @param {Surface} surface @param {number} number
 * @returns {Part}
 */
function partOf(mesh, matrix, surface, number) {
  const { position, normal } = mesh.geometry.attributes;
  const bent = mesh.isSkinnedMesh || Boolean(mesh.morphTargetInfluences?.some(Boolean));
  const positions = new Float32Array(position.count * 3);
  const point = new Vector3();
  for (let vertex = 0; vertex < position.count; vertex++) {
    mesh.getVertexPosition(vertex, point).applyMatrix4(matrix).toArray(positions, vertex * 3);
  }
  if (!positions.every(Number.isFinite)) throw new Refused("broken");
  const index = indexOf(mesh, matrix.determinant() < 0);
  /** @type {Float32Array | null} */
  let normals = null;
  if (normal && bent) {
    const geometry = new BufferGeometry().setAttribute("position", new BufferAttribute(positions, 3));
    geometry.setIndex(new BufferAttribute(index, 1)).computeVertexNormals();
    normals = /** @type {Float32Array} */ (geometry.getAttribute("normal").array);
  } else if (normal) {
    const turn = new Matrix3().getNormalMatrix(matrix);
    normals = new Float32Array(position.count * 3);
    for (let vertex = 0; vertex < position.count; vertex++) {
      point.fromBufferAttribute(normal, vertex).applyMatrix3(turn).normalize().toArray(normals, vertex * 3);
    }
    if (!normals.every(Number.isFinite)) normals = null;
  }
  return { positions, normals, uvs: uvsOf(mesh, surface), colours: coloursOf(mesh), index, surface: number };
}

/** Where a mesh stands: once, or wherever its instances are. @param {any} mesh */
function placesOf(mesh) {
  if (!mesh.isInstancedMesh) return [mesh.matrixWorld];
  return Array.from({ length: mesh.count }, (_, instance) => {
    const place = new Matrix4();
    mesh.getMatrixAt(instance, place);
    return place.premultiply(mesh.matrixWorld);
  });
}

/**
 * The parts of a scene. Throws `Refused` with "empty", "huge" or "broken".
 * @param {{ scene: import("three").Object3D }} gltf
 * @returns {Model}
 */
export function modelOf({ scene }) {
  scene.updateMatrixWorld(true);
  /** @type {any[]} */
  const meshes = [];
  let triangles = 0;
  scene.traverse((/** @type {any} */ object) => {
    const position = object.isMesh && object.geometry.getAttribute("position");
    if (!position) return;
    meshes.push(object);
    triangles += Math.floor((object.geometry.index ?? position).count / 3) * (object.isInstancedMesh ? object.count : 1);
  });
  if (triangles === 0) throw new Refused("empty");
  if (triangles > MOST_TRIANGLES) throw new Refused("huge");
  const materials = [...new Set(meshes.map((mesh) => [mesh.material].flat()[0]))];
  const surfaces = materials.map(surfaceOf);
  const parts = meshes.flatMap((mesh) => {
    const number = materials.indexOf([mesh.material].flat()[0]);
    return placesOf(mesh).map((place) => partOf(mesh, place, surfaces[number], number));
  });
  const [least, most] = [new Vector3(Infinity, Infinity, Infinity), new Vector3(-Infinity, -Infinity, -Infinity)];
  const point = new Vector3();
  for (const { positions, index } of parts) {
    for (const vertex of index) {
      point.fromArray(positions, vertex * 3);
      least.min(point);
      most.max(point);
    }
  }
  return { parts: parts.filter((part) => part.index.length), surfaces, triangles, least, most };
}
