/** What the viewer rests on: which files are opened on this device, where one looks from in words, lengths as people read them. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { command, described } from "../../frontend/viewer/camera.js";
import { inspect } from "../../frontend/viewer/glb.js";
import { length, measures } from "../../frontend/viewer/measures.js";
import { measured } from "../../frontend/viewer/pictures.js";

/** A GLB of that JSON and those bytes. */
function glb(json, binary = new Uint8Array()) {
  const text = new TextEncoder().encode(JSON.stringify(json).padEnd(Math.ceil(JSON.stringify(json).length / 4) * 4));
  const bytes = new Uint8Array(28 + text.length + binary.length);
  const view = new DataView(bytes.buffer);
  [0x46546c67, 2, bytes.length, text.length, 0x4e4f534a].forEach((word, place) => view.setUint32(place * 4, word, true));
  bytes.set(text, 20);
  view.setUint32(20 + text.length, binary.length, true);
  view.setUint32(24 + text.length, 0x004e4942, true);
  bytes.set(binary, 28 + text.length);
  return bytes;
}

/** A cube's worth of triangles, with what is changed. */
const cube = (changes = {}) => ({
  asset: { version: "2.0" },
  nodes: [{ mesh: 0 }],
  meshes: [{ primitives: [{ attributes: { POSITION: 0 }, indices: 1 }] }],
  accessors: [{ type: "VEC3", count: 24 }, { type: "SCALAR", count: 36 }],
  ...changes,
});

/** The first bytes of a PNG of that size. */
function png(width, height) {
  const bytes = new Uint8Array(40);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  new DataView(bytes.buffer).setUint32(16, width);
  new DataView(bytes.buffer).setUint32(20, height);
  return bytes;
}

const pictured = (bytes) => glb(cube({ images: [{ bufferView: 0 }], bufferViews: [{ byteLength: bytes.length }] }), bytes);

test("opens what is whole and counts each triangle as often as it is drawn", () => {
  assert.deepEqual(inspect(glb(cube())), { triangles: 12 });
  assert.deepEqual(inspect(glb(cube({ nodes: [{ children: [1, 2] }, { mesh: 0 }, { mesh: 0 }] }))), { triangles: 24 });
  assert.deepEqual(inspect(pictured(png(4096, 4096))), { triangles: 12 });
});

test("refuses by name what would hang, fill the memory or reach outside", () => {
  const nest = Array.from({ length: 500 }, (_, place) => (place < 499 ? { children: [place + 1] } : { mesh: 0 }));
  const doubled = Array.from({ length: 60 }, (_, place) => (place < 59 ? { children: [place + 1, place + 1] } : { mesh: 0 }));
  const refused = {
    "not-glb": [
      new Uint8Array(4),
      glb(cube()).subarray(0, 60),
      glb([]),
      glb(cube({ nodes: [{ children: [1] }, { children: [0], mesh: 0 }] })),
      glb(cube({ nodes: [{ children: [0, 0] }] })),
      glb(cube({ nodes: [{ children: ["length"] }] })),
      glb(cube({ nodes: doubled })), // walked without a look at parents, it would never end
      glb(cube({ accessors: [{ type: "VEC3", count: -1 }] })),
      pictured(new Uint8Array(64)),
    ],
    outside: [
      glb(cube({ buffers: [{ byteLength: 4, uri: "https://example.org/a.bin" }] })),
      glb(cube({ images: [{ uri: "data:image/png;base64,AA==" }] })),
    ],
    "too-much": [
      glb(cube({ accessors: [{ type: "VEC3", count: 1e9 }, { type: "SCALAR", count: 36 }] })),
      glb(cube({ accessors: [{ type: "VEC3", count: 24 }, { type: "SCALAR", count: 5e7 }] })),
      glb(cube({ nodes: Array.from({ length: 15_000 }, () => ({ mesh: 0 })), accessors: [{ type: "VEC3", count: 9 }, { type: "SCALAR", count: 3000 }] })),
      glb(cube({ nodes: nest })),
      pictured(png(30_000, 30_000)),
    ],
    empty: [glb(cube({ nodes: [] })), glb(cube({ meshes: [{ primitives: [{ attributes: { POSITION: 0 }, mode: 1 }] }] }))],
  };
  for (const [code, files] of Object.entries(refused)) {
    for (const [place, file] of files.entries()) assert.throws(() => inspect(file), { code }, `${code} ${place}`);
  }
});

test("reads the size of pictures", () => {
  const jpeg = new Uint8Array(40);
  jpeg.set([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 17, 8, 0x01, 0x02, 0x03, 0x04]);
  const webp = new Uint8Array(40);
  webp.set(new TextEncoder().encode("RIFF0000WEBPVP8X"));
  webp.set([0xff, 0x03, 0, 0xff, 0x01, 0], 24);
  assert.deepEqual(measured(jpeg), [0x0304, 0x0102]);
  assert.deepEqual(measured(webp), [1024, 512]);
  assert.equal(measured(new Uint8Array(40)), null);
});

test("says where one looks from", () => {
  const word = (name, values = {}) => [name, ...Object.values(values)].join(" ");
  const seen = (turn, tilt, zoom = 1) => described({ turn: (turn * Math.PI) / 180, tilt: (tilt * Math.PI) / 180, zoom }, word);
  assert.equal(seen(0, 14), "seen side-front height-above 14 100");
  assert.equal(seen(-50, -20, 1.5), "seen side-front-left height-below 20 150");
  assert.equal(seen(179, 1), "seen side-back height-level 100");
  assert.equal(seen(-725, 0), "seen side-front height-level 100");
  assert.equal(seen(0, 88), "seen-pole pole-top 100");
});

test("leaves the browser's keys alone", () => {
  const key = (name, more = {}) => command({ key: name, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...more });
  assert.equal(key("ArrowLeft"), "turn-left");
  assert.equal(key("ArrowLeft", { shiftKey: true }), "move-left");
  assert.equal(key("+", { shiftKey: true }), "nearer");
  assert.equal(key("R"), "turning");
  assert.equal(key("3"), "look-3");
  for (const theirs of [key("+", { ctrlKey: true }), key("ArrowLeft", { altKey: true }), key("Tab"), key("constructor"), key("6")]) {
    assert.equal(theirs, "");
  }
});

test("measures in millimetres what is printed, in metres what is not, in the reader's language", () => {
  assert.deepEqual(measures({ x: 0.08, y: 0.0046, z: 0.12345 }, true, "en"), { width: "80 mm", height: "4.6 mm", depth: "123 mm" });
  assert.equal(length(1, false, "en"), "1.00 m");
  assert.equal(length(0.98312, false, "de"), "0,983 m");
});
