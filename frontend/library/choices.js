/**
 * What a person chose: whether new models are kept (for an account; undecided at first), and whether signing out forgets
 * them (for this browser).
 */

import { change, look, tell } from "./database.js";

const LEAVING = "leaving";

/** Whether new models are kept; null: not decided. @param {string} owner @returns {Promise<boolean | null>} */
export async function keeping(owner) {
  const chosen = await look("choices", (store) => store.get(`keep/${owner}`), null);
  return typeof chosen === "boolean" ? chosen : null;
}

/** @param {string} owner @param {boolean} yes */
export async function choose(owner, yes) {
  await change("choices", (store) => store.put(yes, `keep/${owner}`));
  tell();
}

/** Whether signing out forgets what is kept; "leave it" unless chosen otherwise. */
export async function forgetsOnLeaving() {
  return (await look("choices", (store) => store.get(LEAVING), false)) === true;
}

/** @param {boolean} yes */
export async function chooseLeaving(yes) {
  await change("choices", (store) => store.put(yes, LEAVING));
}
