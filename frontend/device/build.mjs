/**
 * Builds what works on photos on the device: the worker, and the WebAssembly it loads when it needs to.
 *
 * A runtime goes by its package's version, so that browsers may keep it for good; beside each lies its compressed form.
 */
import { build } from "esbuild";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** Further levels save a tenth and take half a minute. */
const LEVEL = 9;

/** @param {{modules: string, dist: string, here: string}} folders of the packages, of what is built, of the sources */
export async function onDevice({ modules, dist, here }) {
  /** Copies a runtime under its name and version; its name. @param {string} name @param {string} of package @param {string} file */
  async function runtime(name, of, file) {
    const { version } = JSON.parse(await readFile(join(modules, of, "package.json"), "utf8"));
    const to = join(dist, "device", `${name}-${version}.wasm`);
    const bytes = await readFile(join(modules, of, file));
    await mkdir(join(dist, "device"), { recursive: true });
    await writeFile(to, bytes);
    await writeFile(`${to}.gz`, await promisify(gzip)(bytes));
    const params = { [constants.BROTLI_PARAM_QUALITY]: LEVEL, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    await writeFile(`${to}.br`, await promisify(brotliCompress)(bytes, { params }));
    return JSON.stringify(`./device/${name}-${version}.wasm`);
  }
  const define = {
    __ONNX_RUNTIME__: await runtime("onnxruntime", "onnxruntime-web", "dist/ort-wasm-simd-threaded.wasm"),
    __HEIC_RUNTIME__: await runtime("libheif", "libheif-js", "libheif-wasm/libheif.wasm"),
  };
  await copyFile(join(modules, "libheif-js", "LICENSE"), join(dist, "device", "libheif.LICENSE.txt"));
  await build({
    entryPoints: { device: join(here, "device", "worker.js"), heic: join(here, "device", "heic.js") },
    outdir: dist,
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "linked",
    define,
    logLevel: "warning",
    external: ["module", "worker_threads", "fs", "path"],
  });
}
