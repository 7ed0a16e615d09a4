/**
 * What pages hand to each other on this device (IndexedDB "mmi-incoming"): photos for the create page (store `files`), and
 * the photo that the create page has sent for a job (store `sent`), which the library takes in; a day at most.
 *
 * @typedef {{ job: string, photo: Blob, made: number }} Sent
 */

import { result } from "./database.js";

const NAME = "mmi-incoming";
const DAY = 86_400_000;

/** The database, made if asked to; null where nobody has handed anything over. @param {boolean} make */
async function open(make) {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    if (!make) return request.transaction?.abort();
    request.result.createObjectStore("files", { keyPath: "id" });
    request.result.createObjectStore("sent", { keyPath: "job" });
  };
  try {
    return await result(request);
  } catch (error) {
    if (make) throw error;
    return null;
  }
}

/** The photo that was sent for a job, or null. @param {string} job @returns {Promise<Blob | null>} */
export async function sentPhoto(job) {
  const database = await open(false);
  if (!database) return null;
  try {
    /** @type {Sent | undefined} */
    const sent = await result(database.transaction("sent").objectStore("sent").get(job));
    return sent?.photo instanceof Blob ? sent.photo : null;
  } catch {
    return null;
  } finally {
    database.close();
  }
}

/** Forgets photos that were taken in, and those older than a day. @param {(job: string) => boolean} taken @param {number} now */
export async function forgetSent(taken, now) {
  const database = await open(false);
  if (!database) return;
  try {
    const store = database.transaction("sent", "readwrite").objectStore("sent");
    /** @type {Sent[]} */
    const all = await result(store.getAll());
    for (const { job, made } of all) {
      if (taken(job) || !(Math.abs(now - made) < DAY)) store.delete(job);
    }
  } catch {
    // Another page's version of it: that page sees to it.
  } finally {
    database.close();
  }
}

/** Lays photos ready for the create page, which asks for them by that id. @param {string} id @param {Blob[]} files */
export async function layReady(id, files) {
  const database = await open(true);
  if (!database) return;
  try {
    await result(database.transaction("files", "readwrite").objectStore("files").put({ id, files, made: Date.now() }));
  } finally {
    database.close();
  }
}
