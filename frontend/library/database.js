/**
 * The library's database in the browser (IndexedDB "mmi-library"), one change at a time over all tabs.
 *
 * Stores: `kept` (rows of record.js by `owner/job`), `files` (bytes, where the browser has no files for pages), `choices`.
 */

/** This browser gives pages no storage: a private window, switched off, or an address without TLS. */
export class NoStorage extends Error {}

export const NAME = "mmi-library";
const VERSION = 1;

/** @type {Promise<IDBDatabase | null> | null} */
let opened = null;

const wire = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(NAME);

/** A request's result. @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
export function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Resolves once a transaction is on disk. @param {IDBTransaction} transaction @returns {Promise<void>} */
function written(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new NoStorage());
  });
}

/**
 * Opens it. A look into it does not make it: a browser that keeps nothing has no database.
 * @param {boolean} make @returns {Promise<IDBDatabase | null>} null: there is none, and none was to be made
 */
async function open(make) {
  let missing = false;
  if (!globalThis.isSecureContext) throw new NoStorage(); // no files, locks or digests there
  try {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      missing = !make;
      if (missing) {
        request.transaction?.abort();
        return;
      }
      request.result.createObjectStore("kept", { keyPath: "key" }).createIndex("owner", "owner");
      request.result.createObjectStore("files");
      request.result.createObjectStore("choices");
    };
    const database = await result(request);
    const forget = () => {
      database.close();
      opened = null;
    };
    database.onversionchange = forget; // another tab forgets the device
    database.onclose = forget; // the browser cleared the site's storage
    return database;
  } catch {
    if (missing) return null;
    throw new NoStorage();
  }
}

/** @param {boolean} make */
async function connection(make) {
  opened ??= open(make).catch((error) => {
    opened = null;
    throw error;
  });
  const database = await opened;
  if (database) return database;
  opened = null;
  return make ? await (opened = open(true)) : null;
}

/** Closes it, so that it can be deleted. */
export async function close() {
  const database = await opened?.catch(() => null);
  opened = null;
  database?.close();
}

/**
 * Reads in one transaction; `otherwise` where nothing was ever kept.
 * @template T, U
 * @param {"kept" | "files" | "choices"} store @param {(store: IDBObjectStore) => IDBRequest<T>} work @param {U} otherwise
 * @returns {Promise<T | U>} rejects with `NoStorage`
 */
export async function look(store, work, otherwise) {
  const database = await connection(false);
  if (!database) return otherwise;
  return await result(work(database.transaction(store, "readonly").objectStore(store)));
}

/**
 * Writes in one transaction; resolves once that is on disk.
 * @template T
 * @param {"kept" | "files" | "choices"} store @param {(store: IDBObjectStore) => IDBRequest<T>} work
 * @returns {Promise<void>} rejects with `NoStorage` or what the browser says, such as a `QuotaExceededError`
 */
export async function change(store, work) {
  const transaction = (await connection(true))?.transaction(store, "readwrite");
  if (!transaction) throw new NoStorage();
  const end = written(transaction);
  work(transaction.objectStore(store));
  await end;
}

/**
 * Does one change at a time, whichever tab it is in.
 * @template T @param {() => Promise<T>} work @returns {Promise<T>}
 */
export async function alone(work) {
  if (!navigator.locks) return await work();
  return /** @type {T} */ (await navigator.locks.request(NAME, work));
}

/** Tells the other tabs that something changed. */
export function tell() {
  wire?.postMessage("changed");
}

/** Calls `then` when another tab has changed something. @param {() => void} then */
export function onChange(then) {
  wire?.addEventListener("message", then);
}
