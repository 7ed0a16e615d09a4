/**
 * What a GLB must be before this device opens it: whole, alone (it refers to nothing outside itself), and of a size that
 * a phone can hold. The server has looked already; the device does not rely on that, and files may come from elsewhere.
 */

import { measured } from "./pictures.js";

/** The most of everything that is opened. Pictures are counted as they lie in memory. */
export const MOST = { bytes: 256e6, json: 16e6, nodes: 20_000, depth: 200, triangles: 5e6, numbers: 2e8, side: 8192, pixels: 1.4e8 };

/**
 * Why a file is not shown: `not-glb`, `outside` (it refers to something elsewhere), `too-much`, `empty`, `too-long`,
 * `no-webgl`.
 */
export class Unviewable extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

const MAGIC = 0x46546c67;
const JSON_CHUNK = 0x4e4f534a;
const BINARY_CHUNK = 0x004e4942;
const NUMBERS = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT2: 4, MAT3: 9, MAT4: 16 };

/** @typedef {Record<string, any>} Gltf the JSON part; of unknown shape until it has been looked at */

/** A list of the file, which may lack it or have something else there. @param {unknown} value @returns {any[]} */
const list = (value) => (Array.isArray(value) ? value : []);

/** A whole number that is not negative, or an end. @param {unknown} value */
function count(value) {
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw new Unviewable("not-glb");
  return Number(value);
}

/** @param {boolean} fits */
function within(fits) {
  if (!fits) throw new Unviewable("too-much");
}

/**
 * The two parts of a GLB. Throws `Unviewable`.
 * @param {Uint8Array} bytes
 * @returns {{json: Gltf, binary: Uint8Array}}
 */
function split(bytes) {
  within(bytes.length <= MOST.bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length >= 20 && view.getUint32(0, true) === MAGIC && view.getUint32(4, true) === 2;
  if (!whole || view.getUint32(8, true) !== bytes.length) throw new Unviewable("not-glb");
  const length = view.getUint32(12, true);
  if (view.getUint32(16, true) !== JSON_CHUNK || 20 + length > bytes.length) throw new Unviewable("not-glb");
  within(length <= MOST.json);
  let json;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(20, 20 + length)));
  } catch {
    throw new Unviewable("not-glb");
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new Unviewable("not-glb");
  /** @type {Uint8Array} */
  let binary = new Uint8Array();
  const next = 20 + length;
  if (next + 8 <= bytes.length && view.getUint32(next + 4, true) === BINARY_CHUNK) {
    const size = view.getUint32(next, true);
    if (next + 8 + size > bytes.length) throw new Unviewable("not-glb");
    binary = bytes.subarray(next + 8, next + 8 + size);
  }
  return { json, binary };
}

/** Triangles that one primitive draws. @param {Gltf} json @param {any} primitive */
function drawn(json, primitive) {
  const accessor = list(json.accessors)[primitive?.indices ?? primitive?.attributes?.POSITION];
  const mode = primitive?.mode ?? 4;
  if (accessor === undefined || mode < 4) return 0;
  return mode === 4 ? Math.floor(count(accessor.count) / 3) : Math.max(0, count(accessor.count) - 2);
}

/**
 * Triangles of everything that the nodes show, each mesh counted as often as it is drawn. Throws `Unviewable` for nodes
 * in a circle, which no walk would ever leave, and for nests too deep.
 * @param {Gltf} json
 */
function shown(json) {
  const nodes = list(json.nodes);
  const meshes = list(json.meshes).map((mesh) => list(mesh?.primitives).reduce((sum, one) => sum + drawn(json, one), 0));
  const parents = new Uint8Array(nodes.length);
  for (const child of nodes.flatMap((node) => list(node?.children))) {
    if (count(child) >= nodes.length || parents[child]++) throw new Unviewable("not-glb");
  }
  let triangles = 0;
  let seen = 0;
  /** @type {[number, number][]} */
  const open = nodes.flatMap((_, place) => (parents[place] ? [] : [[place, 0]]));
  for (let next = open.pop(); next; next = open.pop()) {
    const [node, depth] = [nodes[next[0]], next[1]];
    within(depth <= MOST.depth);
    seen += 1;
    const copies = Object.values(node?.extensions?.EXT_mesh_gpu_instancing?.attributes ?? {});
    const times = copies.length ? count(list(json.accessors)[Number(copies[0])]?.count) : 1;
    triangles += (meshes[node?.mesh] ?? 0) * times;
    for (const child of list(node?.children)) open.push([child, depth + 1]);
  }
  if (seen !== nodes.length) throw new Unviewable("not-glb");
  return triangles;
}

/** Throws `Unviewable` for pictures that are too large together or one by one. @param {Gltf} json @param {Uint8Array} binary */
function look(json, binary) {
  let pixels = 0;
  for (const image of list(json.images)) {
    const place = list(json.bufferViews)[image?.bufferView];
    if (!place) continue;
    const from = count(place.byteOffset ?? 0);
    const size = measured(binary.subarray(from, from + count(place.byteLength)));
    if (!size) throw new Unviewable("not-glb");
    pixels += size[0] * size[1];
    within(Math.max(...size) <= MOST.side && pixels <= MOST.pixels);
  }
}

/**
 * Looks a GLB over without opening it. Throws `Unviewable`, with `empty` where no triangle is shown.
 * @param {Uint8Array} bytes
 * @returns {{triangles: number}} as the file says
 */
export function inspect(bytes) {
  const { json, binary } = split(bytes);
  if ([...list(json.buffers), ...list(json.images)].some((part) => part?.uri !== undefined)) throw new Unviewable("outside");
  const primitives = list(json.meshes).reduce((sum, mesh) => sum + list(mesh?.primitives).length, 0);
  within(list(json.nodes).length <= MOST.nodes && primitives <= MOST.nodes);
  let numbers = 0;
  for (const accessor of list(json.accessors)) {
    const each = NUMBERS[/** @type {keyof typeof NUMBERS} */ (accessor?.type)];
    if (!each) throw new Unviewable("not-glb");
    numbers += count(accessor.count) * each;
  }
  for (const view of list(json.bufferViews)) {
    const packed = view?.extensions?.EXT_meshopt_compression ?? view?.extensions?.KHR_meshopt_compression;
    if (packed) numbers += (count(packed.count) * count(packed.byteStride)) / 4;
  }
  within(numbers <= MOST.numbers);
  const triangles = shown(json);
  within(triangles <= MOST.triangles);
  if (triangles === 0) throw new Unviewable("empty");
  look(json, binary);
  return { triangles };
}
