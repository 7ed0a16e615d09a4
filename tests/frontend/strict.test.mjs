/** JSON that is signed has one reading: what could be read in two ways is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Malformed, parse } from "../../frontend/strict.js";

test("reads what JSON.parse reads", () => {
  for (const text of ["null", "[1, -20, 0]", '{"a": {"b": [true, "\\u00e9\\n"]}}', ' "x" ']) {
    assert.deepEqual(structuredClone(parse(text)), JSON.parse(text));
  }
});

test("refuses a name twice, numbers that are not whole, and half characters", () => {
  for (const text of ['{"a": 1, "a": 2}', "1.0", "1e3", "01", '"\\ud800"', "[1,]", "", '{"a" 1}', "[".repeat(30)]) {
    assert.throws(() => parse(text), Malformed, text);
  }
});
