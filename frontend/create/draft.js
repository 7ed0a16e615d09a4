/**
 * A draft: photos, what was done to them and the choices, kept on this device while somebody has to leave the page for
 * credits or to sign in. It belongs to one account, lasts a day, and is deleted once sent, told to, or signed out.
 */

import { existing, open, remove, within } from "./database.js";

const NAME = "mmi-draft";
const DAY = 86_400_000;

/** @typedef {import("./photo.js").Edits} Edits */
/** @typedef {{side: string, file: File, edits: Edits}} KeptPhoto */
/** @typedef {{id: "draft", account: string, made: number, each: boolean, photos: KeptPhoto[], choices: [string, string][]}} Draft */

/**
 * Keeps a draft in place of any before it. Rejects where the browser keeps nothing.
 * @param {{account: string, each: boolean, photos: KeptPhoto[], choices: [string, string][]}} draft `each`: a model each
 */
export async function keep(draft) {
  const made = { id: "draft", made: Date.now(), ...draft };
  await within(await open(NAME, { drafts: "id" }), "drafts", "readwrite", (store) => store.put(made));
}

/**
 * The draft of this account, or null; one that is too old or somebody else’s is deleted.
 * @param {string} account
 * @returns {Promise<Draft | null>}
 */
export async function kept(account) {
  const database = await existing(NAME);
  if (!database?.objectStoreNames.contains("drafts")) {
    database?.close();
    return null;
  }
  /** @type {Draft | undefined} */
  const draft = await within(database, "drafts", "readonly", (store) => store.get("draft"));
  if (draft && draft.account === account && Math.abs(Date.now() - draft.made) < DAY && draft.photos?.length) return draft;
  await forget();
  return null;
}

/** Deletes the draft, whoever’s. */
export const forget = () => remove(NAME);
