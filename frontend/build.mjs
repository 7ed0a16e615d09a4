/**
 * Builds the pages' scripts, styles and fonts into static/dist: `npm ci && node frontend/build.mjs`.
 *
 * Without scripts a page has to come with 100 kB at most: fonts keep what pages use, the letters of Western Europe in one
 * file and further ones in another; and beside each style sheet, script and drawing lie its compressed forms, which the
 * server gives to whoever takes them.
 *
 * Each entry is one file without shared chunks, so that static file storages that rename files need not understand
 * ES module imports; a script that loads another one at run time is told its address by the page.
 */
import { build } from "esbuild";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";

import subsetFont from "subset-font";

import { onDevice } from "./device/build.mjs";
import { forming } from "./forming.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const modules = join(root, "node_modules");
const dist = join(root, "static", "dist");

/** Copies one file, making its folder first. */
async function copy(/** @type {string} */ from, /** @type {string} */ to) {
  await mkdir(dirname(join(dist, to)), { recursive: true });
  await copyFile(join(modules, from), join(dist, to));
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

await build({
  entryPoints: [
    "site.js",
    "create.js",
    "job.js",
    "verify.js",
    "viewer.js",
    "history.js",
    "kept.js",
    "leaving.js",
    "checked.js",
    "guides.js",
    "landing.js",
    "exporting.js",
    "export-worker.js",
    "service-worker.js",
  ].map((name) => join(here, name)),
  outdir: dist,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "linked",
  logLevel: "warning",
});
await build({
  entryPoints: ["site.css", "making.css", "operators.css"].map((name) => join(here, "styles", name)),
  outdir: dist,
  bundle: true,
  minify: true,
  target: ["chrome120", "firefox121", "safari17"],
  external: ["./fonts/*"],
  logLevel: "warning",
});

/** All characters from one code point to another. */
function characters(/** @type {number} */ first, /** @type {number} */ last) {
  return String.fromCodePoint(...Array.from({ length: last - first + 1 }, (_, place) => first + place));
}
const WESTERN = characters(0x20, 0x7e) + characters(0xa0, 0xff) + "ŒœŸ\u2009\u2011\u202f–—‘’‚“”„•…‹›€™←↑→↓−≤≥";

const sans = "@fontsource-variable/schibsted-grotesk";
const mono = "@fontsource/commit-mono";
await copy(`${sans}/files/schibsted-grotesk-latin-ext-wght-normal.woff2`, "fonts/schibsted-grotesk-latin-ext.woff2");
await copy(`${sans}/LICENSE`, "fonts/schibsted-grotesk.LICENSE.txt");
/** The part of a font that pages use. */
async function subset(
  /** @type {string} */ from,
  /** @type {string} */ to,
  /** @type {object} */ how,
  /** @type {string} */ letters = WESTERN,
) {
  const some = await subsetFont(await readFile(join(modules, from)), letters, { targetFormat: "woff2", ...how });
  await writeFile(join(dist, "fonts", to), some);
}
await subset(`${sans}/files/schibsted-grotesk-latin-wght-normal.woff2`, "schibsted-grotesk-latin.woff2", {
  variationAxes: { wght: { min: 400, max: 700 } },
  keepFeatures: ["kern", "mark", "mkmk", "ccmp", "locl", "tnum"],
});
/** What is bold in a receipt: its headings and figures. A letter beside these comes from the next family. */
const HEADINGS = characters(0x20, 0x7e) + "\u00a0°·×–—’“”…";
for (const [weight, letters] of /** @type {const} */ ([["400", WESTERN], ["700", HEADINGS]])) {
  // Without alternates and ligatures: a quarter of the bytes.
  const from = `${mono}/files/commit-mono-latin-${weight}-normal.woff2`;
  await subset(from, `commit-mono-${weight}.woff2`, { noLayoutClosure: true }, letters);
}
await copy(`${mono}/LICENSE`, "fonts/commit-mono.LICENSE.txt");
// What asks for its licence beside its code, and says nothing of it inside.
for (const name of ["fflate/LICENSE", "gifenc/LICENSE.md"]) await copy(name, `${name.replace(/\/.*/, "")}.LICENSE.txt`);

// The decoders of packed meshes and textures, which the viewer fetches from here when a file needs them.
for (const part of ["draco/gltf", "basis"]) {
  for (const name of await readdir(join(modules, "three/examples/jsm/libs", part))) {
    if (/decoder|transcoder|wrapper/.test(name)) {
      await copy(`three/examples/jsm/libs/${part}/${name}`, `decoders/${part.split("/")[0]}/${name}`);
    }
  }
}

await onDevice({ modules, dist, here });

const drawn = forming();
await writeFile(join(dist, "forming.svg"), drawn.both);
await writeFile(join(dist, "wire.svg"), drawn.wire);

for (const name of await readdir(dist)) {
  if (!/\.(css|js|svg)$/.test(name)) continue;
  const plain = await readFile(join(dist, name));
  await writeFile(join(dist, `${name}.gz`), await promisify(gzip)(plain, { level: 9 }));
  await writeFile(join(dist, `${name}.br`), await promisify(brotliCompress)(plain));
}
