/**
 * Whatever a file or an answer names, it changes no prototype: what is written to by a name that is worked out is a Map, or an
 * object without a prototype, and never a literal.
 */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { FORMAT, read } from "../../frontend/library/manifest.js";
import { parse } from "../../frontend/strict.js";

const WRITTEN = /([\w.#]+)\[([^\]\n]+)\]\s*(?:\?\?|\|\|)?=(?![=>])/g;

/** Names in a script that are written to by a worked-out name and begin as an object literal. @param {string} text */
function literals(text) {
  const names = [...text.matchAll(WRITTEN)].map(([, name]) => name.split(".").at(-1)?.replace("#", "") ?? "");
  const literal = "(?:/\\*\\*[^*]*\\*/\\s*)?\\(?\\{";
  return names.filter((name) => new RegExp(`(?<![\\w])#?${name}\\s*(?:=\\s*${literal}|:\\s*\\{\\s*\\})`).test(text));
}

test("the rule sees what it is about", () => {
  assert.deepEqual(literals("const found = {};\nfound[name] = 1;"), ["found"]);
  assert.deepEqual(literals("this.files = {};\nthis.files[name] ??= 1;"), ["files"]);
  assert.deepEqual(literals("const found = Object.create(null);\nfound[name] = 1;"), []);
  assert.deepEqual(literals("const found = [];\nfound[at] = 1;"), []);
});

test("no object literal is written to by a worked-out name", () => {
  const all = /** @type {string[]} */ (readdirSync("frontend", { recursive: true }));
  const scripts = all.filter((name) => /\.m?js$/.test(name)).map((name) => `frontend/${name}`);
  assert.ok(scripts.length > 80);
  for (const script of scripts) assert.deepEqual(literals(readFileSync(script, "utf-8")), [], script);
});

test("names of prototypes are names like others, or refused", () => {
  const hostile = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
  assert.deepEqual(Object.keys(parse(hostile) ?? {}), ["__proto__", "constructor"]);
  const job = "00000000-0000-4000-8000-000000000001";
  const model = `{"job":"${job}","created":"2026-01-01T00:00:00Z","kept":1,"files":${hostile}}`;
  assert.throws(() => read(`{"format":"${FORMAT}","models":[${model}],"__proto__":{"polluted":true}}`));
  assert.equal(/** @type {any} */ ({}).polluted, undefined);
});
