/** The library on the device, as far as it needs no browser: what goes for space, what is gone, ZIPs there and back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { unzipSync, zipSync } from "fflate";

import { typeOf } from "../../frontend/library/contents.js";
import { toRemove } from "../../frontend/library/eviction.js";
import { missing } from "../../frontend/library/gone.js";
import { MANIFEST, Refused, groups, read, written } from "../../frontend/library/manifest.js";
import { THUMB, sha256 } from "../../frontend/library/record.js";
import { exported, listed, taken } from "../../frontend/library/transfer.js";

const JOBS = ["0b5f0f6e-0000-4000-8000-000000000001", "0b5f0f6e-0000-4000-8000-000000000002"];

/** The shortest file that says it is a GLB of its own length. */
function glb(length = 40) {
  const bytes = new Uint8Array(length);
  bytes.set(new TextEncoder().encode("glTF"));
  const numbers = new DataView(bytes.buffer);
  numbers.setUint32(4, 2, true);
  numbers.setUint32(8, length, true);
  return new Blob([bytes]);
}

function png(side = THUMB) {
  const bytes = new Uint8Array(40);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  new DataView(bytes.buffer).setUint32(16, side);
  new DataView(bytes.buffer).setUint32(20, side);
  return new Blob([bytes]);
}

async function model(job, files, more = {}) {
  const kinds = {};
  for (const [role, file] of Object.entries(files)) {
    kinds[role] = { bytes: file.size, type: await typeOf(role, file), sha256: await sha256(file) };
  }
  const facts = { provider: "Our own engine", quality: "standard", triangles: 40000 };
  return { job, created: "2026-11-01T10:00:00.000Z", kept: 5, pinned: false, name: "", facts, files: kinds, ...more };
}

/** A library of two models as a ZIP, and what was put in. */
async function library() {
  const files = { [JOBS[0]]: { model: glb(), thumb: png(), receipt: new Blob(['{"receipt":1}']) }, [JOBS[1]]: { model: glb(300_000) } };
  const models = [await model(JOBS[0], files[JOBS[0]], { pinned: true, name: "Tasse 🫖" }), await model(JOBS[1], files[JOBS[1]])];
  const parts = [];
  const { zip, count } = await exported(models, async (one, role) => files[one.job][role] ?? null, (part) => parts.push(part));
  assert.equal(count, 2);
  assert.equal(parts.at(-1), 1);
  return { zip, models, files };
}

/** A ZIP's files by name, to be changed and packed again. */
async function opened(zip) {
  return unzipSync(new Uint8Array(await zip.arrayBuffer()));
}

async function refusal(zip) {
  try {
    await listed(zip);
  } catch (error) {
    assert.ok(error instanceof Refused, String(error));
    return error.message;
  }
  return "";
}

test("the oldest that are not pinned go, no more than needed, and none where that is too little", () => {
  const kept = (key, at, bytes, pinned = false) => ({ key, kept: at, pinned, files: { model: { bytes } } });
  const all = [kept("new", 9, 100), kept("old", 1, 60), kept("pinned", 0, 500, true), kept("middle", 5, 60)];
  assert.deepEqual(toRemove(all, 1).map(({ key }) => key), ["old"]);
  assert.deepEqual(toRemove(all, 61).map(({ key }) => key), ["old", "middle"]);
  assert.deepEqual(toRemove(all, 160, "new"), null);
  assert.equal(toRemove(all, 221), null);
  assert.deepEqual(toRemove(all, 220).length, 3);
});

test("what a page of the history should list and does not is gone, and nothing outside of its time is", () => {
  const kept = JOBS.map((job, day) => ({ job, created: `2026-11-0${day + 1}T10:00:00.000Z` }));
  const span = { from: Date.parse("2026-11-01"), to: Date.parse("2026-11-30") };
  assert.deepEqual(missing(kept, { ...span, jobs: new Set([JOBS[0]]) }), [kept[1]]);
  assert.deepEqual(missing(kept, { ...span, from: Date.parse("2026-11-03"), jobs: new Set() }), []);
  assert.deepEqual(missing(kept, { ...span, to: Date.parse("2026-11-01T09:00Z"), jobs: new Set() }), []);
});

test("a ZIP comes back as it was put in", async () => {
  const { zip, models, files } = await library();
  const found = await listed(zip);
  assert.deepEqual(found.models, models);
  for (const one of found.models) {
    const back = await taken(zip, found.entries, one);
    for (const [role, file] of Object.entries(files[one.job])) assert.equal(await sha256(back[role]), await sha256(file), role);
  }
});

test("a ZIP that somebody else packed anew, deflated, is read too", async () => {
  const { zip, models } = await library();
  const again = new Blob([zipSync(await opened(zip), { level: 6 })]);
  assert.ok(again.size < zip.size / 4);
  const found = await listed(again);
  assert.notEqual(await taken(again, found.entries, models[1]), null);
});

test("models whose files have changed are left out, the others are not", async () => {
  const { zip, models } = await library();
  const inside = await opened(zip);
  inside[`models/${JOBS[1]}/model.glb`][200_000] ^= 1;
  const changed = new Blob([zipSync(inside, { level: 0 })]);
  const { entries } = await listed(changed);
  assert.notEqual(await taken(changed, entries, models[0]), null);
  assert.equal(await taken(changed, entries, models[1]), null);
});

test("foreign, missing and doubled files, and lists that are none, are refused with their sentence", async () => {
  const { zip, models } = await library();
  const inside = await opened(zip);
  const packed = (files) => new Blob([zipSync(files, { level: 0 })]);
  const listing = (change) => {
    const list = JSON.parse(new TextDecoder().decode(inside[MANIFEST]));
    change(list);
    return packed({ ...inside, [MANIFEST]: new TextEncoder().encode(JSON.stringify(list)) });
  };
  assert.equal(await refusal(packed({ ...inside, "../../etc/passwd": new Uint8Array(1) })), "zip-foreign");
  const { [`models/${JOBS[0]}/model.glb`]: gone, ...rest } = inside;
  assert.ok(gone);
  assert.equal(await refusal(packed(rest)), "zip-missing");
  assert.equal(await refusal(packed({ ...inside, [`models/${JOBS[0]}/model.glb`]: new Uint8Array(41) })), "zip-missing");
  assert.equal(await refusal(packed({ ...inside, [MANIFEST]: new TextEncoder().encode("{") })), "zip-list");
  assert.equal(await refusal(packed(Object.fromEntries(Object.entries(inside).filter(([name]) => name !== MANIFEST)))), "zip-list");
  assert.equal(await refusal(listing((list) => list.models.push(list.models[0]))), "zip-twice");
  assert.equal(await refusal(listing((list) => (list.models[0].job = "../x"))), "zip-list");
  assert.equal(await refusal(listing((list) => (list.models[0].files.model.type = "text/html"))), "zip-list");
  assert.equal(await refusal(listing((list) => (list.models[0].files.script = list.models[0].files.model))), "zip-list");
  assert.equal(await refusal(listing((list) => (list.models[0].files.model.bytes = 9e15))), "zip-list");
  assert.equal(await refusal(listing((list) => (list.format = "other/1"))), "zip-list");
  for (const what of [new Blob([]), glb(), zip.slice(0, zip.size - 5), zip.slice(100)]) assert.equal(await refusal(what), "zip-not");
  assert.equal(read(written(models, new Date())).length, 2);
});

test("a bomb is let go of where its entry says it ends, and two entries do not share bytes", async () => {
  const { zip, models } = await library();
  const inside = await opened(zip);
  const name = `models/${JOBS[0]}/model.glb`;
  /** Packs, and changes a number in the directory's entry of a file. */
  const packed = (files, of, numbers) => {
    const bytes = zipSync(files, { level: 0 });
    const at = Buffer.from(bytes).lastIndexOf(of) - 46;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const [place, value] of numbers) view.setUint32(at + place, value, true);
    return new Blob([bytes]);
  };
  // The directory says 40 bytes deflated, as long as the list says; the stream has a hundred million.
  const [deflated, method] = [deflateRawSync(new Uint8Array(100_000_000)), 10];
  const bomb = packed({ ...inside, [name]: deflated }, name, [[method, 8], [24, 40]]);
  const { entries } = await listed(bomb);
  const before = process.memoryUsage().rss;
  assert.equal(await taken(bomb, entries, models[0]), null);
  assert.ok(process.memoryUsage().rss - before < 60_000_000);

  const second = `models/${JOBS[1]}/model.glb`;
  assert.equal(await refusal(packed(inside, second, [[42, 0]])), "zip-not");
  assert.equal(await refusal(packed(inside, second, [[8, 1]])), "zip-not"); // encrypted
});

test("a file is what its bytes say", async () => {
  assert.equal(await typeOf("model", glb()), "model/gltf-binary");
  assert.equal(await typeOf("model", new Blob([await glb().arrayBuffer(), "more"])), "");
  assert.equal(await typeOf("thumb", png(THUMB + 1)), "");
  assert.equal(await typeOf("photo", new Blob(["<svg xmlns='http://www.w3.org/2000/svg'/>"])), "");
  assert.equal(await typeOf("photo", png(9000)), "image/png");
  assert.equal(await typeOf("receipt", new Blob(["[]"])), "");
});

test("more than fits one ZIP goes into several", () => {
  const all = [3e9, 2e9, 1e9, 5].map((bytes) => ({ files: { model: { bytes } } }));
  assert.deepEqual(groups(all).map((group) => group.length), [1, 3]);
  assert.deepEqual(groups([]), []);
});
