/** “Forget this device”: everything that this site keeps in the browser goes, of whichever account, and is looked for again. */

import { NAME, alone, close, look, tell } from "./database.js";
import { bytesOf } from "./record.js";

/** @typedef {import("./record.js").Kept} Kept */

/** Databases of ours, for browsers that do not list theirs. */
const OURS = [NAME, "mmi-incoming", "mmi-draft"];
const PATIENCE = 3000;

/** How many models of how many bytes are kept here, of all accounts, and how many of these are not one of `owners`. @param {string[]} owners */
export async function survey(owners) {
  /** @type {Kept[]} */
  const all = await look("kept", (store) => store.getAll(), []);
  const others = all.filter(({ owner }) => !owners.includes(owner)).length;
  return { models: all.length, others, bytes: all.reduce((sum, kept) => sum + bytesOf(kept), 0) };
}

/** The names of this site's databases. */
async function databases() {
  if (!indexedDB.databases) return OURS;
  return (await indexedDB.databases()).map(({ name }) => name ?? "").filter(Boolean);
}

/** Whether a database is gone; not while another tab holds it open. @param {string} name @returns {Promise<boolean>} */
function deleted(name) {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve(true);
    request.onerror = () => resolve(false);
    setTimeout(resolve, PATIENCE, false);
  });
}

/** Removes all files that pages of this site have. Whether none is left. */
async function filesGone() {
  if (!navigator.storage?.getDirectory) return true;
  try {
    const root = await navigator.storage.getDirectory();
    for await (const name of /** @type {any} */ (root).keys()) await root.removeEntry(name, { recursive: true });
    return true;
  } catch (error) {
    return error instanceof DOMException && error.name === "SecurityError"; // this browser has no files for pages
  }
}

/** Removes what service workers have put aside. */
async function cachesGone() {
  if (!("caches" in globalThis)) return true;
  for (const name of await caches.keys()) await caches.delete(name);
  return (await caches.keys()).length === 0;
}

/** Forgets everything; whether nothing is left. Cookies are not touched: one keeps the person signed in. */
export async function forgetDevice() {
  return await alone(forgotten);
}

async function forgotten() {
  await close();
  const gone = [await filesGone(), await cachesGone()];
  for (const name of await databases()) gone.push(await deleted(name));
  for (const kind of /** @type {const} */ (["localStorage", "sessionStorage"])) {
    try {
      window[kind].clear();
    } catch {
      // switched off, so there is nothing in it
    }
  }
  tell();
  return gone.every(Boolean);
}
