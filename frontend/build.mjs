/**
 * Builds the pages' scripts, styles and fonts into static/dist: `npm ci && node frontend/build.mjs`.
 *
 * Each entry is one file without shared chunks, so that static file storages that rename files need not understand
 * ES module imports; a script that loads another one at run time is told its address by the page.
 */
import { build } from "esbuild";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

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

/**
 * model-viewer writes a <style> into its shadow root, which our content security policy refuses. The same rules as a
 * constructed style sheet are allowed, so the build moves them there; it fails when a new version looks different.
 *
 * @type {import("esbuild").Plugin}
 */
const styleByScript = {
  name: "model-viewer's style by script",
  setup(building) {
    building.onLoad({ filter: /model-viewer[\\/]lib[\\/]template\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const style = /<style>([^]*?)<\/style>/.exec(source);
      const call = "render(templateResult, shadowRoot);";
      if (!style || style[1].includes("${") || !source.includes(call)) {
        throw new Error("model-viewer's template has changed; see styleByScript in frontend/build.mjs");
      }
      // When it is connected: the element's own base class sets the list of adopted sheets just before.
      const adopt = `const sheet = new CSSStyleSheet(); sheet.replaceSync(${JSON.stringify(style[1])});
        shadowRoot.host.addController({ hostConnected() { shadowRoot.adoptedStyleSheets = [sheet]; } });`;
      return { contents: source.replace(style[0], "").replace(call, () => `${adopt} ${call}`), loader: "js" };
    });
  },
};

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

await build({
  entryPoints: ["site.js", "create.js", "job.js", "verify.js", "viewer.js"].map((name) => join(here, name)),
  outdir: dist,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "linked",
  plugins: [styleByScript],
  logLevel: "warning",
});
await build({
  entryPoints: [join(here, "styles", "site.css")],
  outdir: dist,
  bundle: true,
  minify: true,
  target: ["chrome120", "firefox121", "safari17"],
  external: ["./fonts/*"],
  logLevel: "warning",
});

const sans = "@fontsource-variable/schibsted-grotesk";
const mono = "@fontsource/commit-mono";
await copy(`${sans}/files/schibsted-grotesk-latin-wght-normal.woff2`, "fonts/schibsted-grotesk-latin.woff2");
await copy(`${sans}/files/schibsted-grotesk-latin-ext-wght-normal.woff2`, "fonts/schibsted-grotesk-latin-ext.woff2");
await copy(`${sans}/LICENSE`, "fonts/schibsted-grotesk.LICENSE.txt");
await copy(`${mono}/files/commit-mono-latin-400-normal.woff2`, "fonts/commit-mono-400.woff2");
await copy(`${mono}/files/commit-mono-latin-700-normal.woff2`, "fonts/commit-mono-700.woff2");
await copy(`${mono}/LICENSE`, "fonts/commit-mono.LICENSE.txt");

// The decoders that model-viewer would otherwise fetch from other people's servers.
for (const part of ["draco/gltf", "basis"]) {
  for (const name of await readdir(join(modules, "three/examples/jsm/libs", part))) {
    if (/decoder|transcoder|wrapper/.test(name)) {
      await copy(`three/examples/jsm/libs/${part}/${name}`, `decoders/${part.split("/")[0]}/${name}`);
    }
  }
}
const meshopt = await readFile(join(modules, "three/examples/jsm/libs/meshopt_decoder.module.js"), "utf8");
await mkdir(join(dist, "decoders"), { recursive: true });
await build({
  stdin: { contents: `${meshopt}\nself.MeshoptDecoder = MeshoptDecoder;` },
  outfile: join(dist, "decoders", "meshopt.js"),
  bundle: true,
  format: "iife",
  minify: true,
  logLevel: "warning",
});

await writeFile(join(dist, "forming.svg"), forming());
