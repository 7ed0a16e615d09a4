/**
 * `manifest.json` of an exported library: what is in the ZIP, with lengths and SHA-256 digests.
 *
 * Names of files follow from job, role and type, so that whoever reads it back believes no name that is written in it.
 */

import { LONGEST_NAME, MOST, ROLES, isJob } from "./record.js";

/** @typedef {import("./record.js").Described} Described */
/** @typedef {import("./record.js").Kind} Kind */
/** @typedef {import("./record.js").Kinds} Kinds */
/** @typedef {import("./record.js").Role} Role */

/** It cannot be taken in; the message is the name of the sentence that says why. */
export class Refused extends Error {}

export const MANIFEST = "manifest.json";
export const FORMAT = "modelmyimage-library/1";
/** The most bytes of a manifest, and the most models in it. */
export const LARGEST = 8_000_000;
const MOST_MODELS = 10_000;

/** @type {Readonly<Record<string, string>>} */
const ENDINGS = {
  "model/gltf-binary": "glb",
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "image/avif": "avif",
  "image/heic": "heic",
  "application/json": "json",
};
/** @type {Readonly<Record<Role, RegExp>>} */
const TYPES = {
  model: /^model\/gltf-binary$/,
  photo: /^image\/(?:jpeg|png|webp|avif|heic)$/,
  thumb: /^image\/png$/,
  receipt: /^application\/json$/,
};

/** Where a file lies in the ZIP. @param {string} job @param {Role} role @param {Kind} kind */
export function path(job, role, kind) {
  return `models/${job}/${role}.${ENDINGS[kind.type]}`;
}

/** The manifest's text. @param {readonly Described[]} models @param {Date} made */
export function written(models, made) {
  const listed = models.map(({ job, created, kept, pinned, name, facts, files }) => ({
    ...{ job, created, kept, pinned, name, facts },
    files: Object.fromEntries(Object.entries(files).map(([role, { bytes, type, sha256 }]) => [role, { bytes, type, sha256 }])),
  }));
  return JSON.stringify({ format: FORMAT, made: made.toISOString(), models: listed }, null, 1);
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @param {number} most @returns {value is number} */
function isCount(value, most) {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most;
}

/** A short text, or "" for anything else. @param {unknown} value @param {number} [longest] */
function text(value, longest = 80) {
  return typeof value === "string" ? value.slice(0, longest) : "";
}

/** @param {unknown} value @param {Role} role @returns {value is Kind} */
function isKind(value, role) {
  if (!isObject(value) || typeof value.type !== "string" || typeof value.sha256 !== "string") return false;
  return isCount(value.bytes, MOST[role]) && TYPES[role].test(value.type) && /^[0-9a-f]{64}$/.test(value.sha256);
}

/** @param {unknown} value @returns {Described} */
function described(value) {
  if (!isObject(value) || !isJob(value.job) || !isObject(value.files)) throw new Refused("zip-list");
  const { job, created, kept } = value;
  if (typeof created !== "string" || Number.isNaN(Date.parse(created))) throw new Refused("zip-list");
  if (!isCount(kept, 8.64e15)) throw new Refused("zip-list");
  /** @type {Kinds} */
  const files = Object.create(null);
  for (const [role, kind] of Object.entries(value.files)) {
    const known = ROLES.find((one) => one === role);
    if (!known || !isKind(kind, known)) throw new Refused("zip-list");
    files[known] = { bytes: kind.bytes, type: kind.type, sha256: kind.sha256 };
  }
  const { model } = files;
  if (!model) throw new Refused("zip-list");
  const facts = isObject(value.facts) ? value.facts : {};
  return {
    job,
    created: new Date(created).toISOString(),
    kept,
    pinned: value.pinned === true,
    name: text(value.name, LONGEST_NAME),
    facts: {
      provider: text(facts.provider),
      quality: text(facts.quality),
      triangles: isCount(facts.triangles, 1e9) ? facts.triangles : 0,
    },
    files: { ...files, model },
  };
}

/**
 * What a manifest lists. Throws `Refused`: `zip-list` for what is no manifest of ours, `zip-twice` for a model named twice.
 * @param {string} json
 * @returns {Described[]}
 */
export function read(json) {
  /** @type {unknown} */
  let found = null;
  try {
    found = JSON.parse(json);
  } catch {
    throw new Refused("zip-list");
  }
  if (!isObject(found) || found.format !== FORMAT || !Array.isArray(found.models)) throw new Refused("zip-list");
  if (found.models.length > MOST_MODELS) throw new Refused("zip-list");
  const models = found.models.map(described);
  if (new Set(models.map(({ job }) => job)).size !== models.length) throw new Refused("zip-twice");
  return models;
}

/**
 * Models in groups that fit one ZIP each, in order: ZIP's lengths end at 4 GB.
 * @template {Described} T
 * @param {readonly T[]} models @param {number} [most] bytes
 * @returns {T[][]}
 */
export function groups(models, most = 3_900_000_000) {
  /** @type {T[][]} */
  const all = [];
  let room = 0;
  for (const model of models) {
    const bytes = Object.values(model.files).reduce((sum, kind) => sum + kind.bytes, 10_000);
    if (bytes > room) {
      all.push([]);
      room = most;
    }
    all[all.length - 1].push(model);
    room -= bytes;
  }
  return all;
}
