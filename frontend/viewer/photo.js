/** The photo beside the model: from this device's own store, or chosen again. It goes nowhere. */

const DATABASE = "mmi-incoming";
const STORE = "sent";

/**
 * The photo of a job that this device keeps, if it does.
 * @param {string} job
 * @returns {Promise<Blob | null>}
 */
export function kept(job) {
  return new Promise((resolve) => {
    /** @type {IDBOpenDBRequest} */
    let opening;
    try {
      opening = indexedDB.open(DATABASE);
    } catch {
      resolve(null); // storage is switched off
      return;
    }
    // It is not ours to make: an empty one would stand in its maker's way.
    opening.onupgradeneeded = () => opening.transaction?.abort();
    opening.onerror = (event) => {
      event.preventDefault();
      resolve(null);
    };
    opening.onblocked = () => resolve(null);
    opening.onsuccess = () => {
      const database = opening.result;
      const done = (/** @type {Blob | null} */ photo) => {
        database.close();
        resolve(photo);
      };
      if (!database.objectStoreNames.contains(STORE)) return done(null);
      const walk = database.transaction(STORE).objectStore(STORE).openCursor();
      walk.onerror = () => done(null);
      walk.onsuccess = () => {
        const record = walk.result?.value;
        if (!walk.result) done(null);
        else if (record?.job === job && record.photo instanceof Blob) done(record.photo);
        else walk.result.continue();
      };
    };
  });
}

/**
 * The address of a picture that is loaded; whoever is done with it revokes it. Rejects when the browser cannot draw it.
 * Its being loaded is waited for, not `decode()`: that one waits for the page's next frame, which a busy or covered page
 * may not draw.
 * @param {Blob} photo
 * @returns {Promise<string>}
 */
export async function loaded(photo) {
  const url = URL.createObjectURL(photo);
  const trial = new Image();
  try {
    await new Promise((resolve, reject) => {
      trial.onload = resolve;
      trial.onerror = () => reject(new Error("not a picture"));
      trial.src = url;
    });
    return url;
  } catch (error) {
    URL.revokeObjectURL(url);
    throw error;
  }
}
