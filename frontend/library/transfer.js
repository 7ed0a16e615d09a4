/** A library as a ZIP, and back: what is in it has to be what its manifest says, to the byte. */

import { typeOf } from "./contents.js";
import { LARGEST, MANIFEST, Refused, path, read, written } from "./manifest.js";
import { packed } from "./packing.js";
import { ROLES, bytesOf, sha256 } from "./record.js";
import { content, directory } from "./unpacking.js";

/** @typedef {import("./record.js").Described} Described */
/** @typedef {import("./record.js").Role} Role */
/** @typedef {import("./unpacking.js").Entry} Entry */

/**
 * The ZIP of some models; `cleared` counts those whose file the browser no longer has, which are not in it.
 * @template {Described} T
 * @param {readonly T[]} models @param {(model: T, role: Role) => Promise<Blob | null>} fileOf
 * @param {(part: number) => void} progress
 */
export async function exported(models, fileOf, progress) {
  const entries = [];
  const listed = [];
  for (const model of models) {
    /** @type {Described["files"]} */
    const files = Object.assign(Object.create(null), { model: model.files.model });
    const there = [];
    for (const role of ROLES) {
      const [kind, file] = [model.files[role], await fileOf(model, role)];
      if (!kind || !file || file.size !== kind.bytes) continue;
      there.push({ name: path(model.job, role, kind), file });
      files[role] = kind;
    }
    if (!there.some(({ name }) => name.endsWith(".glb"))) continue;
    entries.push(...there);
    listed.push({ ...model, files });
  }
  const manifest = { name: MANIFEST, file: new Blob([written(listed, new Date())]) };
  return { zip: await packed([manifest, ...entries], progress), count: listed.length, cleared: models.length - listed.length };
}

/**
 * What a ZIP says is in it, checked as far as that goes without reading its models: none is named twice, every file is
 * there with the length that is written down, and nothing else is. Throws `Refused`.
 * @param {Blob} zip
 */
export async function listed(zip) {
  const entries = await directory(zip);
  const manifest = entries.get(MANIFEST);
  if (!manifest || manifest.bytes > LARGEST) throw new Refused("zip-list");
  const models = read(await (await content(zip, manifest)).text());
  const named = new Set([MANIFEST]);
  for (const model of models) {
    for (const role of ROLES) {
      const kind = model.files[role];
      if (!kind) continue;
      const name = path(model.job, role, kind);
      if (entries.get(name)?.bytes !== kind.bytes) throw new Refused("zip-missing");
      named.add(name);
    }
  }
  if ([...entries.keys()].some((name) => !named.has(name))) throw new Refused("zip-foreign");
  return { entries, models, bytes: models.reduce((sum, model) => sum + bytesOf(model), 0) };
}

/**
 * One model's files, each compared with its digest and its kind; null where one is not what it should be.
 * @param {Blob} zip @param {Map<string, Entry>} entries @param {Described} model
 * @returns {Promise<(Partial<Record<Role, Blob>> & { model: Blob }) | null>}
 */
export async function taken(zip, entries, model) {
  /** @type {Partial<Record<Role, Blob>>} */
  const files = Object.create(null);
  try {
    for (const role of ROLES) {
      const kind = model.files[role];
      const entry = kind && entries.get(path(model.job, role, kind));
      if (!kind || !entry) continue;
      const file = await content(zip, entry);
      if ((await sha256(file)) !== kind.sha256 || (await typeOf(role, file)) !== kind.type) return null;
      files[role] = file;
    }
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
  const { model: glb } = files;
  return glb ? { ...files, model: glb } : null;
}
