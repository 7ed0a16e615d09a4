/** Which models go when space runs out: the oldest that are not pinned, no more than needed, or none if that is not enough. */

import { bytesOf } from "./record.js";

/** @typedef {import("./record.js").Kept} Kept */

/**
 * The models to remove so that `need` bytes come free, oldest first; null where removing all that may go is too little.
 * @param {readonly Kept[]} all @param {number} need bytes @param {string} [spared] key of a model that must stay
 * @returns {Kept[] | null}
 */
export function toRemove(all, need, spared = "") {
  const may = all.filter((kept) => !kept.pinned && kept.key !== spared).sort((one, other) => one.kept - other.kept);
  const chosen = [];
  let free = 0;
  for (const kept of may) {
    if (free >= need) break;
    chosen.push(kept);
    free += bytesOf(kept);
  }
  return free >= need ? chosen : null;
}
