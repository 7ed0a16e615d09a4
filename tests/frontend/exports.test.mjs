/** Files of other formats, as far as they need no browser: what is refused, sizes for printing, ZIPs. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { unzipSync } from "fflate";
import { BoxGeometry, Group, InstancedMesh, Mesh, MeshStandardMaterial } from "three";

import { alignedZip, zip } from "../../frontend/exports/archive.js";
import { sample } from "../../frontend/exports/baking.js";
import { demandWhole } from "../../frontend/exports/glb.js";
import { modelOf } from "../../frontend/exports/parts.js";
import { piece } from "../../frontend/exports/printing.js";
import { sides, usualLength } from "../../frontend/exports/sizes.js";
import { obj } from "../../frontend/exports/obj.js";
import { stl } from "../../frontend/exports/stl.js";

/** A GLB of that JSON. */
function glb(json, { version = 2, length = null } = {}) {
  const text = new TextEncoder().encode(typeof json === "string" ? json : JSON.stringify(json));
  const bytes = new Uint8Array(20 + text.length);
  const view = new DataView(bytes.buffer);
  [0x46546c67, version, length ?? bytes.length, text.length, 0x4e4f534a].forEach((word, at) => view.setUint32(at * 4, word, true));
  bytes.set(text, 20);
  return bytes.buffer;
}

/** A scene with the box that the function places. */
function scene(place = () => {}) {
  const box = new Mesh(new BoxGeometry(1, 2, 4), new MeshStandardMaterial());
  place(box);
  return { scene: new Group().add(box) };
}

test("a GLB that is broken or names other files is refused", () => {
  demandWhole(glb({ asset: { version: "2.0" }, buffers: [{ byteLength: 4 }], images: [{ bufferView: 0 }] }));
  for (const bytes of [
    new ArrayBuffer(0),
    new TextEncoder().encode("solid no model at all").buffer,
    glb({}, { version: 1 }),
    glb({}, { length: 999 }),
    glb('{"asset":'),
    glb("null"),
    glb({ images: 3 }),
  ]) {
    assert.throws(() => demandWhole(bytes), { message: "broken" });
  }
  for (const list of ["buffers", "images"]) {
    assert.throws(() => demandWhole(glb({ [list]: [{}, { uri: "https://example.org/x" }] })), { message: "elsewhere" });
  }
});

test("what cannot be drawn or held is refused", () => {
  assert.throws(() => modelOf({ scene: new Group() }), { message: "empty" });
  const far = scene((box) => box.geometry.attributes.position.setX(0, Number.NaN));
  assert.throws(() => modelOf(far), { message: "broken" });
  const beyond = scene((box) => box.geometry.index.setX(0, 9999));
  assert.throws(() => modelOf(beyond), { message: "broken" });
  const crowd = new InstancedMesh(new BoxGeometry(), new MeshStandardMaterial(), 400_000);
  assert.throws(() => modelOf({ scene: new Group().add(crowd) }), { message: "huge" });
});

test("a length for printing is the model's own where that can be meant", () => {
  assert.equal(usualLength(0.08), 80);
  assert.equal(usualLength(1), 100);
  assert.equal(usualLength(0.002), 100);
  assert.deepEqual(sides([1, 2, 4], { longest: 100, up: "z" }), [25, 100, 50]);
  assert.deepEqual(sides([1, 2, 4], { longest: 100, up: "y" }), [25, 50, 100]);
});

test("a printed piece stands in the corner of the plate, closed, the right way out", () => {
  const mirrored = scene((box) => box.scale.set(-1, 1, 1) && box.position.set(9, 9, 9));
  const { geometry, corners } = piece(modelOf(mirrored), { longest: 100, up: "z" });
  geometry.computeBoundingBox();
  assert.deepEqual(geometry.boundingBox.min.toArray(), [0, 0, 0]);
  assert.deepEqual(geometry.boundingBox.max.toArray().map(Math.round), [25, 100, 50]);
  assert.equal(geometry.attributes.position.count, 8);
  assert.equal(corners.length, geometry.index.count);
  let volume = 0;
  const at = (corner) => [0, 1, 2].map((axis) => geometry.attributes.position.getComponent(geometry.index.getX(corner), axis));
  for (let first = 0; first < 36; first += 3) {
    const [[a, b, c], [d, e, f], [g, h, i]] = [at(first), at(first + 1), at(first + 2)];
    volume += (a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)) / 6;
  }
  assert.equal(Math.round(volume), 125000);
  const flat = scene((box) => box.scale.set(0, 0, 0));
  assert.throws(() => piece(modelOf(flat), { longest: 100, up: "z" }), { message: "flat" });
});

test("colours are taken between pixels, and pictures repeat", () => {
  const image = { width: 2, height: 1, data: Uint8ClampedArray.of(255, 0, 0, 255, 0, 0, 255, 255) };
  const light = new Float32Array(3);
  const at = (u) => {
    sample(image, u, 0.5, light);
    return [...light];
  };
  assert.deepEqual(at(0.25), [1, 0, 0]);
  assert.deepEqual(at(0.75), [0, 0, 1]);
  assert.deepEqual(at(0.5), [0.5, 0, 0.5]);
  assert.deepEqual(at(-0.25), at(0.75));
});

test("ZIPs say no time; those of USDZ begin each file at a multiple of 64 bytes", () => {
  const files = { "a.usda": new Uint8Array(5), "textures/colour_1.jpg": new Uint8Array(333), "b.png": new Uint8Array(64) };
  for (const archive of [zip(files), alignedZip(files)]) {
    assert.deepEqual(unzipSync(archive), files);
    assert.equal(new DataView(archive.buffer).getUint32(10, true), ((1 << 5) | 1) << 16);
  }
  const view = new DataView(alignedZip(files).buffer);
  for (let start = 0; view.getUint32(start, true) === 0x04034b50; ) {
    const body = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
    assert.equal(body % 64, 0);
    start = body + view.getUint32(start + 18, true);
  }
});

test("a name inside the file cannot add lines to what is written", async () => {
  const hostile = scene((box) => {
    box.name = "x\nmtllib /etc/passwd";
    box.material.name = "y\nmap_Kd secret.png";
  });
  const files = unzipSync(new Uint8Array(await (await obj(hostile)).arrayBuffer()));
  const text = Object.values(files).map((bytes) => new TextDecoder().decode(bytes)).join("");
  assert.doesNotMatch(text, /passwd|secret/);
  assert.equal((await stl(hostile, { longest: 10, up: "z" })).size, 84 + 12 * 50);
});
