/** The create page’s rules that need no page: parts of a picture, which tags are named first, and lists of photos. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { AT_ONCE, Busy, freshKey, sendAll } from "../../frontend/create/queue.js";
import { LEAST, WHOLE, moved, orWhole, sideOf, sided, turned } from "../../frontend/create/rectangle.js";
import { ordered } from "../../frontend/create/removed.js";

const near = (one, other) =>
  assert.ok(Object.keys(other).every((key) => Math.abs(one[key] - other[key]) < 1e-9), `${JSON.stringify(one)} is not ${JSON.stringify(other)}`);

test("a part stays within its picture and never gets too small", () => {
  const part = { x: 0.2, y: 0.1, w: 0.5, h: 0.6 };
  near(moved(part, 9, -9), { x: 0.5, y: 0, w: 0.5, h: 0.6 });
  near(sided(part, "left", 0.9), { ...part, x: 0.7 - LEAST, w: LEAST });
  near(sided(part, "top", -1), { ...part, y: 0, h: 0.7 });
  near(sided(part, "right", 2), { ...part, w: 0.8 });
  near(sided(part, "bottom", 0), { ...part, h: LEAST });
  for (const side of ["left", "top", "right", "bottom"]) near({ at: sideOf(sided(part, side, sideOf(part, side)), side) }, { at: sideOf(part, side) });
});

test("a part turns with its picture, and four quarters are none", () => {
  const part = { x: 0.1, y: 0.2, w: 0.3, h: 0.4 };
  near(turned(part), { x: 0.4, y: 0.1, w: 0.4, h: 0.3 });
  near(turned(turned(turned(turned(part)))), part);
  assert.equal(orWhole({ ...WHOLE }), null);
  assert.deepEqual(orWhole(part), part);
});

test("the strip names first what says most about a person", () => {
  const tags = [
    { group: "other", name: "Thumbnail", value: "" },
    { group: "camera", name: "Make", value: "" },
    { group: "camera", name: "BodySerialNumber", value: "" },
    { group: "time", name: "DateTime", value: "" },
    { group: "place", name: "GPSLatitude", value: "" },
  ];
  assert.deepEqual(ordered(tags).map(({ name }) => name), ["GPSLatitude", "BodySerialNumber", "DateTime", "Make", "Thumbnail"]);
  assert.deepEqual(ordered([]), []);
});

/** Items that wait, and means that note what happens to them. */
function list(count, make, stops = () => false) {
  const items = Array.from({ length: count }, (_, place) => ({ key: freshKey(), place, state: "waiting", why: "", job: "" }));
  const pauses = [];
  const means = {
    make,
    stops,
    explain: (failure) => failure.message,
    tell: () => undefined,
    pause: async (milliseconds) => pauses.push(milliseconds),
  };
  return { items, pauses, means };
}

test("each photo is sent once, so many at a time, and one that fails stops none", async () => {
  let [under, most] = [0, 0];
  const { items, means } = list(7, async (item, state) => {
    most = Math.max(most, ++under);
    state("sending");
    await new Promise((resolve) => setTimeout(resolve, 2));
    under -= 1;
    if (item.place === 2) throw new Error("too dark");
    return `/jobs/${item.place}`;
  });
  await sendAll(items, means);
  assert.equal(most, AT_ONCE);
  assert.deepEqual(items.map(({ state }) => state), ["made", "made", "failed", "made", "made", "made", "made"]);
  assert.equal(items[2].why, "too dark");
  assert.equal(items[6].job, "/jobs/6");
});

test("where the server says to wait, all wait as long as it asks, and go on", async () => {
  let calls = 0;
  const { items, pauses, means } = list(3, async (item) => {
    if (++calls === 1) throw new Busy(7);
    return `/jobs/${item.place}`;
  });
  await sendAll(items, means);
  assert.deepEqual(pauses, [7000]);
  assert.ok(items.every(({ state }) => state === "made"));
});

test("what nobody can go on without leaves the rest unsent, to be sent later", async () => {
  const { items, means } = list(5, async ({ place }) => {
    if (place >= 1) throw new Error("no credits");
    return "/jobs/0";
  }, (failure) => failure.message === "no credits");
  await sendAll(items, means);
  assert.deepEqual(items.map(({ state }) => state), ["made", "waiting", "waiting", "waiting", "waiting"]);
});

test("keys are random UUIDs", () => {
  const keys = new Set(Array.from({ length: 50 }, freshKey));
  assert.equal(keys.size, 50);
  for (const key of keys) assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
