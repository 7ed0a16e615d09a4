/**
 * The photo that the create page has sent for a job (IndexedDB “mmi-incoming”, store `sent`; frontend/create/incoming.js),
 * which the library takes in; a day at most.
 *
 * @typedef {{ job: string, photo: Blob, made: number }} Sent
 */

import { result } from "./database.js";

const NAME = "mmi-incoming";
const DAY = 86_400_000;

/** The database; null where nobody has handed anything over. */
async function open() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.transaction?.abort();
  try {
    return await result(request);
  } catch {
    return null;
  }
}

/** The photo that was sent for a job, or null. @param {string} job @returns {Promise<Blob | null>} */
export async function sentPhoto(job) {
  const database = await open();
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
  const database = await open();
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
