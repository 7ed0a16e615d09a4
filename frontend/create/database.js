/** IndexedDB by promises. A database that nobody has written to is not made by looking into it. */

/**
 * What an IndexedDB request comes to.
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * A database with these stores, made where it is missing, each store with its records' key. Rejects where the browser
 * keeps nothing (a private window, no room).
 * @param {string} name
 * @param {Record<string, string>} stores
 * @returns {Promise<IDBDatabase>}
 */
export function open(name, stores) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    for (const [store, keyPath] of Object.entries(stores)) request.result.createObjectStore(store, { keyPath });
  };
  return result(request);
}

/**
 * The database if it exists, or null.
 * @param {string} name
 * @returns {Promise<IDBDatabase | null>}
 */
export async function existing(name) {
  try {
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => request.transaction?.abort();
    return await result(request);
  } catch {
    return null;
  }
}

/**
 * Runs one transaction on a store and closes the database; resolves once it is on the device.
 * @template T
 * @param {IDBDatabase} database
 * @param {string} store
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} work
 * @returns {Promise<T>}
 */
export async function within(database, store, mode, work) {
  try {
    const transaction = database.transaction(store, mode);
    const request = work(transaction.objectStore(store));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    return request.result;
  } finally {
    database.close();
  }
}

/** Deletes a database, whether there is one or not. @param {string} name @returns {Promise<void>} */
export function remove(name) {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    for (const end of ["success", "error", "blocked"]) request.addEventListener(end, () => resolve());
  });
}
