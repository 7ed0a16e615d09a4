/**
 * Where the bytes lie: files of the browser's own for this site (OPFS) where a page can write them, IndexedDB elsewhere.
 *
 * A file's name is random, so a folder says nothing of who or what.
 */

import { change, look } from "./database.js";

/** @typedef {"opfs" | "idb"} Place */

const FOLDER = "mmi-library";

/** The folder of files. Throws where the browser has none, or there is none yet and none is to be made. */
async function folder(make = false) {
  const root = await navigator.storage.getDirectory();
  return await root.getDirectoryHandle(FOLDER, { create: make });
}

/** Where new files go. @returns {Promise<Place>} */
export async function place() {
  try {
    if (!("createWritable" in FileSystemFileHandle.prototype)) return "idb";
    await folder(true);
    return "opfs";
  } catch {
    return "idb"; // some private windows have a database but no files
  }
}

/** @param {Place} where @param {string} name @param {Blob} file */
export async function write(where, name, file) {
  if (where === "idb") {
    await change("files", (store) => store.put(file, name));
    return;
  }
  const handle = await (await folder(true)).getFileHandle(name, { create: true });
  const stream = await handle.createWritable();
  try {
    await stream.write(file);
    await stream.close();
  } catch (error) {
    await stream.abort().catch(() => undefined);
    throw error;
  }
}

/** The file, with its media type; null where the browser has cleared it. @param {Place} where @param {string} name @param {string} type */
export async function read(where, name, type) {
  try {
    const found = /** @type {Blob | undefined} */ (
      where === "idb"
        ? await look("files", (store) => store.get(name), undefined)
        : await (await (await folder()).getFileHandle(name)).getFile()
    );
    return found ? found.slice(0, found.size, type) : null; // refers to the file, copies nothing
  } catch {
    return null;
  }
}

/** What is not there needs no removing. @param {Place} where @param {string} name */
export async function remove(where, name) {
  if (where === "idb") {
    await change("files", (store) => store.delete(name));
    return;
  }
  try {
    await (await folder()).removeEntry(name);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "NotFoundError")) throw error;
  }
}

/** Removes files that belong to no row: what a tab that was closed in the middle left. @param {(name: string) => boolean} known */
export async function sweep(known) {
  for (const name of await look("files", (store) => store.getAllKeys(), [])) {
    if (!known(String(name))) await remove("idb", String(name));
  }
  const here = await folder().catch(() => null);
  if (!here) return;
  for await (const name of /** @type {any} */ (here).keys()) {
    if (!known(name)) await remove("opfs", name);
  }
}
