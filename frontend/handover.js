/**
 * Photos that were chosen before the create page is there wait on this device: in the IndexedDB database “mmi-incoming”, store
 * “files”, as {id, files, made}. The create page takes them at `#shared`, and deletes what is a day old.
 */

const NAME = "mmi-incoming";
/** The stores, as every page that opens it first makes them, and the keys of their records. */
const STORES = { files: "id", sent: "job" };

/**
 * What an IndexedDB request comes to.
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Keeps the files here in place of what waited before; rejects where the browser keeps nothing.
 * @param {Blob[]} files
 */
export async function handOver(files) {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => {
    for (const [store, keyPath] of Object.entries(STORES)) opening.result.createObjectStore(store, { keyPath });
  };
  const database = await result(opening);
  try {
    const transaction = database.transaction("files", "readwrite");
    transaction.objectStore("files").clear();
    transaction.objectStore("files").put({ id: String(Date.now()), files, made: Date.now() });
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}
