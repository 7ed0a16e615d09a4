/** What is done to a photo on its owner's device, as far as that is arithmetic. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { bare } from "../../frontend/device/bare.js";
import { cleared, offsetOf, opacity } from "../../frontend/device/clearing.js";
import { boxMeans, coefficients } from "../../frontend/device/guided.js";
import { kindOf, pixelsOf } from "../../frontend/device/headers.js";
import { mainSubject, tidy } from "../../frontend/device/islands.js";
import { distances, outlineOf } from "../../frontend/device/outline.js";
import { plan } from "../../frontend/device/sizes.js";
import { groupOf, tagsOf } from "../../frontend/device/tags.js";

/** Where a plan puts a point of the upright picture. */
const put = ([a, b, c, d, e, f], x, y) => [a * x + c * y + e, b * x + d * y + f];

test("a picture is turned, cut and scaled in one step", () => {
  const whole = plan(400, 200, { turns: 0, crop: null, longest: 100 });
  assert.deepEqual([whole.width, whole.height], [100, 50]);
  const turned = plan(400, 200, { turns: 1, crop: null, longest: 4000 });
  assert.deepEqual([turned.width, turned.height], [200, 400]); // never larger than it was
  assert.deepEqual(put(turned.matrix, 0, 200), [0, 0]); // what was below on the left is above on the left
  assert.deepEqual(put(turned.matrix, 0, 0), [200, 0]);
  assert.deepEqual(put(plan(400, 200, { turns: 2, crop: null, longest: 4000 }).matrix, 400, 200), [0, 0]);
  assert.deepEqual(put(plan(400, 200, { turns: 3, crop: null, longest: 4000 }).matrix, 400, 0), [0, 0]);
  const part = plan(400, 200, { turns: 1, crop: { x: 0.5, y: 0.5, w: 0.5, h: 0.25 }, longest: 50 });
  assert.deepEqual([part.width, part.height], [50, 50]);
  assert.deepEqual(put(part.matrix, 400, 0).map(Math.round), [50, 100]);
  for (const crop of [{ x: NaN, y: -3, w: 9, h: NaN }, { x: 1, y: 1, w: 0, h: 0 }, { x: 2, y: 2, w: -1, h: -1 }]) {
    const { width, height } = plan(400, 200, { turns: 0, crop, longest: 2048 });
    assert.ok(width >= 1 && height >= 1 && width <= 400 && height <= 200, JSON.stringify(crop));
  }
});

/** Bytes of text and numbers. */
const bytes = (...parts) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...part].map((one) => one.charCodeAt(0)) : part)));
const four = (value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
const room = Array(80).fill(0);

test("a file's head says what it is and how large", () => {
  const png = bytes("\x89PNG\r\n\x1a\n", four(13), "IHDR", four(30000), four(40000), room);
  assert.deepEqual([kindOf(png), pixelsOf(png)], ["png", 30000 * 40000]);
  const jpeg = bytes([0xff, 0xd8, 0xff, 0xe1, 0, 4, 1, 2, 0xff, 0xc2, 0, 17, 8, 1, 0, 2, 0], room);
  assert.deepEqual([kindOf(jpeg), pixelsOf(jpeg)], ["jpeg", 256 * 512]);
  const webp = bytes("RIFF", four(0), "WEBPVP8X", four(10), [0, 0, 0, 0], [0xff, 1, 0], [0xff, 0, 0], room);
  assert.deepEqual([kindOf(webp), pixelsOf(webp)], ["webp", 512 * 256]);
  const heic = bytes(four(24), "ftypmif1", four(0), "mif1heic", four(20), "ispe", four(0), four(9000), four(9000), room);
  assert.deepEqual([kindOf(heic), pixelsOf(heic)], ["heic", 81_000_000]);
  assert.equal(kindOf(bytes(four(28), "ftypmif1", four(0), "avifmif1miaf", room)), "avif");
  assert.equal(kindOf(bytes("GIF89a", room)), "other");
  for (const cut of [0, 3, 9, 12, 16]) assert.equal(pixelsOf(jpeg.subarray(0, cut)), 0);
});

test("of a picture that a canvas wrote, only what draws is left", () => {
  const exif = [0xff, 0xe1, 0, 6, 1, 2, 3, 4];
  const jfif = [0xff, 0xe0, 0, 4, 7, 7];
  const scan = [0xff, 0xda, 0, 3, 1, 0xff, 0xe1, 5];
  const jpeg = bytes([0xff, 0xd8], jfif, exif, [0xff, 0xe2, 0, 3, 9], [0xff, 0xfe, 0, 3, 9], scan);
  assert.deepEqual([...bytes(...bare(jpeg).map((part) => [...part]))], [0xff, 0xd8, ...jfif, ...scan]);
  const chunk = (name) => [...four(1), ...bytes(name), 5, ...four(0)];
  const png = bytes("\x89PNG\r\n\x1a\n", chunk("IHDR"), chunk("iCCP"), chunk("tEXt"), chunk("eXIf"), chunk("IDAT"), chunk("IEND"));
  const kept = String.fromCharCode(...bare(png).flatMap((part) => [...part]));
  assert.deepEqual(kept.match(/[A-Za-z]{4}/g), ["IHDR", "IDAT", "IEND"]);
});

test("tags are told by what they give away, once each, and what is no tag is not", () => {
  const tags = tagsOf({
    file: { "Image Width": { description: "4000px" } },
    exif: {
      Make: { description: "Acme" },
      "Exif IFD Pointer": { description: 8 },
      GPSLatitude: { description: "52.5" },
      DateTimeOriginal: { description: "2026:01:02" },
      ExposureTime: { description: "1/50" },
      UserComment: { description: `\u202ea\u0000b${"c".repeat(500)}` },
    },
    gps: { Latitude: 52.5 },
    icc: { "ICC Description": { description: "sRGB" }, "Rendering Intent": { description: "Perceptual" } },
    Thumbnail: { image: new ArrayBuffer(3) },
  });
  assert.deepEqual(
    tags.map(({ group, name }) => `${group} ${name}`),
    ["place GPSLatitude", "camera Make", "camera ExposureTime", "time DateTimeOriginal", "other UserComment", "other ICC Description", "other Thumbnail"],
  );
  const comment = tags.find(({ name }) => name === "UserComment")?.value ?? "";
  assert.ok(comment.startsWith("a b") && comment.length === 200);
  assert.deepEqual(["Artist", "Software", "BodySerialNumber", "City", "OffsetTime"].map(groupOf), ["person", "program", "camera", "place", "time"]);
  const many = Object.fromEntries(Array.from({ length: 9000 }, (_, at) => [`T${at}`, { description: "x" }]));
  assert.equal(tagsOf({ xmp: many }).length, 2000);
});

/** A mask drawn with # for 1. */
const drawn = (...rows) => Uint8Array.from(rows.join(""), (sign) => (sign === "#" ? 1 : 0));
const seen = (mask, width) => String.fromCharCode(...mask.map((value) => (value ? 35 : 46))).match(RegExp(`.{${width}}`, "g"));

test("the main subject stays with its loose parts, and without others", () => {
  const main = "....######..";
  const rows = [...Array(8).fill(main), "............", "....####....", "....####....", "....####...."];
  const mask = drawn(...rows);
  assert.deepEqual(seen(mainSubject(mask, 12, 12), 12), rows); // near, for its size
  const others = drawn("#...######..", ...rows.slice(1, 8), "............", "............", "............", "##.......###");
  assert.deepEqual(seen(mainSubject(others, 12, 12), 12), [...Array(8).fill(main), ...Array(4).fill("............")]);
  assert.deepEqual(seen(tidy(others, 12, 12), 12), seen(others, 12)); // no speck among them
  assert.equal(mainSubject(new Uint8Array(12), 4, 3).some(Boolean), false);
});

test("the outline moves by a distance", () => {
  const side = 41;
  const square = Uint8Array.from({ length: side * side }, (_, at) => Number(Math.abs((at % side) - 20) <= 10 && Math.abs(Math.floor(at / side) - 20) <= 10));
  const away = distances(square, side, side);
  assert.equal(away[20 * side + 30], 0.5);
  assert.equal(away[20 * side + 31], -0.5);
  assert.equal(away[20 * side + 20], 10.5);
  assert.deepEqual([opacity(-1, 0), opacity(0, 0), opacity(1, 0), opacity(-3, 4)], [0, 128, 255, 255]);
  assert.deepEqual([offsetOf(1, 2000), offsetOf(-9, 2000), offsetOf(NaN, 2000)], [30, -30, 0]);

  // Behind the subject is red, the subject is green: no red may be left, at any edge that does not go beyond it.
  const data = Uint8ClampedArray.from({ length: 4 * side * side }, (_, at) => (at % 4 === 3 ? 255 : at % 4 === (square[at >> 2] ? 1 : 0) ? 200 : 0));
  const outline = { part: { x: 0, y: 0, w: side, h: side }, distance: away };
  for (const edge of [0, -1]) {
    const left = cleared({ data, width: side, height: side }, outline, edge);
    for (let at = 0; at < left.length; at += 4) {
      assert.ok(left[at] === 0, `red at ${at / 4}`);
      if (left[at + 3] === 0) assert.ok(left[at + 1] === 0 && left[at + 2] === 0);
      else assert.equal(left[at + 1], 200);
    }
    assert.ok(left.some((value) => value === 200));
  }
});

test("a coarse mask finds the edge in colour that is near it", async () => {
  const side = 96;
  const inside = (x, y) => Math.hypot(x - 47.5, y - 47.5) < 25;
  const data = new Uint8ClampedArray(4 * side * side).map((_, at) => {
    const noise = (at * 7919) % 40;
    return at % 4 === 3 ? 255 : noise + (inside((at >> 2) % side, Math.floor((at >> 2) / side)) ? 150 : 20);
  });
  // Bright is subject, in blocks, as of a network that sees little.
  const network = async (planes, net) => {
    const block = net / 16;
    return Float32Array.from({ length: net * net }, (_, at) => {
      const [left, top] = [at % net, Math.floor(at / net)].map((place) => Math.floor(place / block) * block);
      let sum = 0;
      for (let y = 0; y < block; y += 1) for (let x = 0; x < block; x += 1) sum += planes[(top + y) * net + left + x];
      return sum > 0 ? 1 : 0;
    });
  };
  const outline = await outlineOf({ data, width: side, height: side }, false, network);
  let [both, either] = [0, 0];
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const { part, distance } = outline;
      const within = x >= part.x && y >= part.y && x < part.x + part.w && y < part.y + part.h;
      const found = within && distance[(y - part.y) * part.w + x - part.x] > 0;
      both += Number(found && inside(x, y));
      either += Number(found || inside(x, y));
    }
  }
  assert.ok(both / either > 0.9, String(both / either));
  assert.equal(await outlineOf({ data, width: side, height: side }, false, async (_, net) => new Float32Array(net * net)), null);
});

test("box means and the guided filter keep what is constant", () => {
  assert.deepEqual([...boxMeans(Float32Array.of(0, 3, 6, 3), 4, 1, 1)], [1.5, 3, 4, 4.5]);
  const flat = coefficients(new Float32Array(3 * 25).fill(0.5), new Float32Array(25).fill(1), 5, 5, 2, 1e-4);
  assert.ok(flat[3].every((value, at) => Math.abs(value + 0.5 * (flat[0][at] + flat[1][at] + flat[2][at]) - 1) < 1e-5));
});
