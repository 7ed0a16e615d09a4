/**
 * What can be checked of a receipt without trusting the site: its form, its signature, that the log has it, and that the
 * log was not rewritten since. The same rules as verifier/verify.py.
 */

import { digest, extend, includes, isCount, isHash, isPath, leafHash } from "./merkle.js";
import { Malformed, canonical, has, isObject, parse } from "./strict.js";

/** @typedef {import("./strict.js").JsonObject} JsonObject */
/** @typedef {import("./strict.js").JsonValue} JsonValue */
/** @typedef {{ format: string, origin: string, size: number, root: string, time: string, key_id: string }} Head */
/**
 * `name` says what was looked at, `word` which sentence tells of it.
 * @typedef {{ name: string, state: "ok" | "failed" | "open", word: string, values?: Record<string, string | number> }} Check
 */
/** @typedef {{ receipt: JsonObject | null, keyId: string, digest: string, head: Head | null, checks: Check[] }} Judged */

const LARGEST = 256_000;
const PARTS = ["format", "id", "job", "issued_at", "outcome", "destroyed", "elsewhere"];
/** @type {Map<JsonValue, string[]>} */
const FORMS = new Map([
  ["modelmyimage-receipt/1", PARTS],
  ["modelmyimage-receipt/2", [...PARTS, "does_not_prove"]],
  ["modelmyimage-erasure/1", [...PARTS, "does_not_prove", "kept", "ends_by_itself"]],
]);
const HEAD_FORMAT = "modelmyimage-log-head/1";
const HEAD_PARTS = ["format", "origin", "size", "root", "time", "key_id"];
const PROOF_FORMAT = "modelmyimage-log-proof/1";
const CONSISTENCY_FORMAT = "modelmyimage-log-consistency/1";
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Something does not hold; the message names the sentence. */
class Refused extends Error {}

/** Whether this browser knows the signatures that we make. */
export async function canVerify() {
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

/** Base64 in its one spelling, or null. @param {string} text */
function fromBase64(text) {
  try {
    const plain = atob(text);
    return btoa(plain) === text ? Uint8Array.from(plain, (letter) => letter.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}

/** A moment as a number; NaN for what is none. @param {JsonValue} text */
function moment(text) {
  return typeof text === "string" && MOMENT.test(text) ? Date.parse(text) : Number.NaN;
}

/**
 * Throws `unknown`, `late` or `not` unless a key of the site signed the message while it signed.
 * @param {JsonValue} signature @param {string} message @param {JsonValue} at @param {JsonObject} keys
 */
async function demandSignature(signature, message, at, keys) {
  if (!has(signature, ["algorithm", "key_id", "value"])) throw new Refused("not");
  const { key_id: name, value } = signature;
  if (signature.algorithm !== "Ed25519" || typeof name !== "string" || typeof value !== "string") throw new Refused("not");
  const known = Object.hasOwn(keys, name) ? keys[name] : null;
  if (!isObject(known) || known.algorithm !== "Ed25519" || typeof known.public_key !== "string") throw new Refused("unknown");
  if ("until" in known && !(moment(at) <= moment(known.until))) throw new Refused("late");
  const [raw, made] = [fromBase64(known.public_key), fromBase64(value)];
  if (!raw || !made) throw new Refused("not");
  let holds = false;
  try {
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    holds = await crypto.subtle.verify("Ed25519", key, made, new TextEncoder().encode(message));
  } catch {
    holds = false;
  }
  if (!holds) throw new Refused("not");
}

/**
 * The signed head, checked. Throws `form`, `unknown`, `late` or `not`.
 * @param {JsonValue} document @param {JsonObject} keys
 * @returns {Promise<Head>}
 */
export async function demandHead(document, keys) {
  if (!has(document, ["head", "signature"]) || !has(document.head, HEAD_PARTS)) throw new Refused("form");
  const { head, signature } = document;
  if (head.format !== HEAD_FORMAT || !isCount(head.size) || !isHash(head.root)) throw new Refused("form");
  if (![head.origin, head.time, head.key_id].every((part) => typeof part === "string")) throw new Refused("form");
  if (!isObject(signature) || signature.key_id !== head.key_id) throw new Refused("form");
  await demandSignature(signature, `${HEAD_FORMAT}\n${canonical(head)}`, head.time, keys);
  return /** @type {Head} */ (/** @type {unknown} */ (head));
}

/**
 * The signed head in a text that somebody kept: alone, or as the site publishes it with its keys.
 * @param {string} text
 * @returns {JsonValue}
 */
export function headIn(text) {
  try {
    const found = parse(text);
    return isObject(found) && found.format === "modelmyimage-log/1" ? found.head : found;
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

/** Whether it has the form of a receipt. @param {JsonValue} found @returns {found is { receipt: JsonObject, signature: JsonObject, log?: JsonValue }} */
function isReceipt(found) {
  if (!isObject(found) || !has({ log: 0, ...found }, ["receipt", "signature", "log"])) return false;
  const body = found.receipt;
  if (!isObject(body) || !has(body, FORMS.get(body.format) ?? [])) return false;
  if (!["id", "job", "issued_at", "outcome"].every((name) => typeof body[name] === "string")) return false;
  const lists = [body.destroyed, body.elsewhere, body.kept ?? [], body.ends_by_itself ?? []];
  return lists.every((lines) => Array.isArray(lines) && lines.every(isObject)) && isObject(found.signature);
}

/**
 * Everything that a receipt's file says, checked; `ask` fetches a proof for a file that has only its salt.
 * @param {string} text @param {JsonObject} keys
 * @param {(leaf: string) => Promise<{ proof: JsonValue, head: JsonValue } | null>} ask null: not in the log's head yet
 * @returns {Promise<Judged>}
 */
export async function judge(text, keys, ask) {
  /** @type {Judged} */
  const judged = { receipt: null, keyId: "", digest: "", head: null, checks: [] };
  const { checks } = judged;
  /** @type {JsonValue} */
  let found = null;
  try {
    if (text.length > LARGEST) throw new Refused("document-large");
    found = parse(text);
    if (!isReceipt(found)) throw new Refused("document-not");
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Malformed)) throw error;
    checks.push({ name: "document", state: "failed", word: error.message || "document-json" });
    return judged;
  }
  judged.receipt = found.receipt;
  judged.keyId = String(found.signature.key_id).slice(0, 80);
  judged.digest = await digest(canonical({ receipt: found.receipt, signature: found.signature }));
  checks.push({ name: "document", state: "ok", word: "document-ok" });
  await checkSignature(found, keys, checks);
  await checkLog(found.log, judged, keys, ask);
  return judged;
}

/** @param {{ receipt: JsonObject, signature: JsonObject }} found @param {JsonObject} keys @param {Check[]} checks */
async function checkSignature(found, keys, checks) {
  try {
    await demandSignature(found.signature, canonical(found.receipt), found.receipt.issued_at, keys);
    checks.push({ name: "key", state: "ok", word: "key-ok" }, { name: "signature", state: "ok", word: "signature-ok" });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.message === "not") {
      checks.push({ name: "key", state: "ok", word: "key-ok" }, { name: "signature", state: "failed", word: "signature-not" });
    } else {
      checks.push({ name: "key", state: "failed", word: `key-${error.message}` });
    }
  }
}

/**
 * Whether the log has it. @param {JsonValue | undefined} entry @param {Judged} judged @param {JsonObject} keys
 * @param {(leaf: string) => Promise<{ proof: JsonValue, head: JsonValue } | null>} ask
 */
async function checkLog(entry, judged, keys, ask) {
  const { checks } = judged;
  if (entry === undefined) {
    checks.push({ name: "inclusion", state: "open", word: "inclusion-none" });
    return;
  }
  const waits = has(entry, ["format", "salt"]);
  const whole = waits || has(entry, ["format", "salt", "index", "size", "path", "head"]);
  if (!whole || !isObject(entry) || entry.format !== PROOF_FORMAT || !isHash(entry.salt)) {
    checks.push({ name: "inclusion", state: "failed", word: "inclusion-form" });
    return;
  }
  const leaf = await leafHash(canonical({ receipt: judged.digest, salt: entry.salt }));
  /** @type {JsonValue} */
  let proof = entry;
  let signed = entry.head;
  if (waits) {
    try {
      const answer = await ask(leaf);
      if (!answer) {
        checks.push({ name: "inclusion", state: "open", word: "inclusion-waits" });
        return;
      }
      [proof, signed] = [answer.proof, answer.head];
    } catch {
      checks.push({ name: "inclusion", state: "open", word: "inclusion-offline" });
      return;
    }
  }
  try {
    judged.head = await demandHead(signed, keys);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    checks.push({ name: "head", state: "failed", word: `head-${error.message}` });
    return;
  }
  const { size, root } = judged.head;
  checks.push({ name: "head", state: "ok", word: "head-ok", values: { size } });
  if (!isObject(proof) || !isCount(proof.index) || !isCount(proof.size) || !isPath(proof.path)) {
    checks.push({ name: "inclusion", state: "failed", word: "inclusion-form" });
    return;
  }
  const holds = proof.size === size && (await includes({ leaf, index: proof.index, size, path: proof.path, root }));
  checks.push({
    name: "inclusion",
    state: holds ? "ok" : "failed",
    word: holds ? "inclusion-ok" : "inclusion-not",
    values: { number: proof.index + 1, size },
  });
}

/**
 * Whether one of two heads is of the beginning of the other's log; `ask` fetches the proof for two sizes.
 * @param {Head} one @param {Head} other @param {(first: number, second: number) => Promise<JsonValue>} ask
 * @returns {Promise<Check>}
 */
export async function compare(one, other, ask) {
  const [older, newer] = one.size <= other.size ? [one, other] : [other, one];
  const values = { first: older.size, second: newer.size };
  /** @param {Check["state"]} state @param {string} word @returns {Check} */
  const told = (state, word) => ({ name: "consistency", state, word: `consistency-${word}`, values });
  if (older.origin !== newer.origin) return told("open", "other"); // each may be right: nothing to compare
  if (older.size < newer.size && moment(older.time) > moment(newer.time)) return told("failed", "shorter");
  /** @type {string[]} */
  let path = [];
  if (older.size > 0 && older.size < newer.size) {
    /** @type {JsonValue} */
    let proof = null;
    try {
      proof = await ask(older.size, newer.size);
    } catch {
      return told("open", "offline");
    }
    if (!isObject(proof) || proof.format !== CONSISTENCY_FORMAT || !isPath(proof.path)) return told("failed", "form");
    if (proof.first !== older.size || proof.second !== newer.size) return told("failed", "form");
    path = proof.path;
  }
  const trees = { first: older.size, second: newer.size, firstRoot: older.root, secondRoot: newer.root };
  if (!(await extend({ ...trees, path }))) return told("failed", "not");
  return told("ok", older.size === newer.size ? "same" : "ok");
}

/** Why a head was refused, or null for another error. @param {unknown} error */
export function whyRefused(error) {
  return error instanceof Refused ? error.message : null;
}
