/** What went wrong, said where it can be mended: beside the photo, beside a field, or by leaving the page for a while. */

import { complainAt, goTo } from "../options.js";
import { announce, byId, show } from "../page.js";
import { Refused, SignedOut, Unreachable } from "../sending.js";
import { word } from "../words.js";
import { leave } from "./leaving.js";
import { Busy } from "./queue.js";

/** Shows a sentence beside the photo, or takes it away. @param {string} sentence */
export function complain(sentence) {
  const error = byId("photo-error", HTMLElement);
  const place = error.querySelector("span");
  if (place) place.textContent = sentence;
  show(error, sentence !== "");
  byId("choose", HTMLElement).toggleAttribute("aria-invalid", sentence !== "");
  if (sentence) announce(sentence);
}

/** Whether something is said beside the photo; goes there if so. */
export function complained() {
  const error = byId("photo-error", HTMLElement);
  if (error.hidden) return false;
  error.focus();
  return true;
}

/** What went wrong, for people. @param {unknown} failure */
export function explanation(failure) {
  if (failure instanceof Refused) return failure.message;
  if (failure instanceof Busy) return failure.message || word("busy");
  if (failure instanceof SignedOut) return word("signed-out");
  if (failure instanceof Unreachable) return navigator.onLine ? word("broken") : word("offline");
  return word("odd");
}

/**
 * Whether a failure is one that this page has to be left for; says so then.
 * @param {HTMLFormElement} form
 * @param {unknown} failure
 * @param {boolean} each whether each photo becomes a model of its own
 */
export function leaves(form, failure, each) {
  if (failure instanceof SignedOut) void leave(form, "session", word("session-over"), each);
  else if (failure instanceof Refused && failure.code === "insufficient_credits") void leave(form, "credits", failure.message, each);
  else return false;
  return true;
}

/**
 * Shows what the server objects to, each sentence beside its field, and goes to the first.
 * @param {HTMLFormElement} form
 * @param {unknown} failure
 * @param {boolean} each
 */
export function showRefusal(form, failure, each) {
  if (leaves(form, failure, each)) return;
  const named = failure instanceof Refused ? Object.entries(failure.errors) : [];
  const unplaced = named.filter(([name, why]) => name === "photo" || !complainAt(name, why)).map(([, why]) => why);
  const placed = named.find(([name]) => name !== "photo" && document.getElementById(`${name}-error`));
  complain(unplaced.length || !placed ? unplaced.join(" ") || explanation(failure) : "");
  if (!placed || unplaced.length) {
    complained();
    return;
  }
  announce(placed[1]);
  const field = document.getElementById(`id_${placed[0]}`) ?? form.querySelector(`[name="${placed[0]}"]:checked`);
  if (field instanceof HTMLElement) goTo(field);
}

