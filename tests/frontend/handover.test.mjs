/** A photo that was chosen on the first page waits alone, and where the browser keeps nothing the page hears of it. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { handOver } from "../../frontend/handover.js";

test("says so where the browser keeps nothing", async () => {
  globalThis.indexedDB = {
    open() {
      const request = { error: new Error("private window") };
      queueMicrotask(() => request.onerror());
      return request;
    },
  };
  await assert.rejects(handOver([new Blob(["x"])]), /private window/);
});
