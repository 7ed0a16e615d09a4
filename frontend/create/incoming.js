/**
 * Photos that come to the create page from elsewhere on this device, and those that it hands on: the database
 * “mmi-incoming”. In its store “files” lies what somebody offers, until this page takes it; in “sent” the photo of a job
 * that was made, until the page of that job has taken it. Whatever is a day old is deleted unread.
 */

import { existing, open, remove, within } from "./database.js";

const NAME = "mmi-incoming";
const STORES = { files: "id", sent: "job" };
const DAY = 86_400_000;
const MOST_FILES = 20;

/** @typedef {{id: string, files: Blob[], made: number}} Offered */

/**
 * Offers files to the create page; resolves to the address that shows them there.
 * @param {Blob[]} files
 * @param {string} [id]
 */
export async function offer(files, id = String(Date.now())) {
  await within(await open(NAME, STORES), "files", "readwrite", (store) => store.put({ id, files, made: Date.now() }));
  return `/create#from=library:${encodeURIComponent(id)}`;
}

/** Keeps the photo of a job for the job's own page, on this device. @param {string} job @param {Blob} photo */
export async function handOn(job, photo) {
  await within(await open(NAME, STORES), "sent", "readwrite", (store) => store.put({ job, photo, made: Date.now() }));
}

/**
 * What was offered: all that the installed app was given (`#shared`), or one record (`#from=library:<id>`). It is
 * deleted as it is read. Nothing offered: an empty list.
 * @param {string} fragment of the page's address
 * @returns {Promise<File[]>}
 */
export async function take(fragment) {
  const from = /^#from=library:(.+)$/.exec(fragment);
  if (!from && fragment !== "#shared") return [];
  const wanted = from ? named(from[1]) : null;
  /** @type {Offered[]} */
  const records = await every("files");
  const found = records.filter((record) => wanted === null || record.id === wanted);
  for (const record of records) {
    if (found.includes(record) || stale(record)) await drop("files", record.id);
  }
  return found
    .filter((record) => !stale(record))
    .flatMap((record) => (Array.isArray(record.files) ? record.files : []))
    .filter((file) => file instanceof Blob)
    .slice(0, MOST_FILES)
    .map((file) => (file instanceof File ? file : new File([file], "photo", { type: file.type })));
}

/** Deletes what was left here a day ago. */
export async function tidy() {
  for (const record of await every("sent")) if (stale(record)) await drop("sent", record.job);
}

/** Deletes all of it. */
export const forgetAll = () => remove(NAME);

/** The id in an address; one that cannot be read names nothing. @param {string} written */
function named(written) {
  try {
    return decodeURIComponent(written);
  } catch {
    return "";
  }
}

/** Whether a record is too old, or from a time to come. @param {{made: number}} record */
function stale(record) {
  return !(Math.abs(Date.now() - record.made) < DAY);
}

/** All records of a store. @param {"files" | "sent"} store */
async function every(store) {
  const database = await existing(NAME);
  return database?.objectStoreNames.contains(store) ? within(database, store, "readonly", (all) => all.getAll()) : [];
}

/** Deletes one record. @param {"files" | "sent"} store @param {string} key */
async function drop(store, key) {
  const database = await existing(NAME);
  if (database) await within(database, store, "readwrite", (all) => all.delete(key));
}
