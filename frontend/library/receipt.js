/** A kept model's receipt: fetched again until it proves its place in the public log, which takes some minutes. */

/** @typedef {import("./shelf.js").Shelf} Shelf */

/** Whether a receipt's file has the proof that it is in the log. @param {Blob | null} file */
export async function proves(file) {
  try {
    return Boolean(JSON.parse((await file?.text()) ?? "").log?.head);
  } catch {
    return false;
  }
}

/**
 * Fetches and keeps it; null where there is none yet. Throws without a connection.
 * @param {Shelf} shelf @param {string} job @param {string} address
 */
export async function fetchReceipt(shelf, job, address) {
  const response = await fetch(address, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (response.status >= 500) throw new Error(String(response.status));
  if (!response.ok || response.redirected) return null; // a redirect is to signing in
  const file = await response.blob();
  await shelf.add(job, "receipt", file);
  return file;
}
