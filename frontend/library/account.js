/** Whose library a page shows: the element with `data-library` gives the account's opaque names, today's first. */

import { Shelf } from "./shelf.js";

/** The shelf of the account that a page names; null where it names none. @param {HTMLElement} element */
export function shelfOf(element) {
  const owners = (element.dataset.library ?? "").split(" ").filter(Boolean);
  return owners.length ? new Shelf(owners) : null;
}
