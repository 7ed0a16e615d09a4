/** Leaving the page for credits or to sign in, and coming back: what is here waits on this device meanwhile. */

import { announce, byId, show } from "../page.js";
import { moment } from "../times.js";
import { word } from "../words.js";
import * as batch from "./batch.js";
import * as draft from "./draft.js";
import * as sides from "./sides.js";

/** Fields of the form that are no choice. */
const NOT_CHOSEN = new Set(["csrfmiddlewaretoken", "request_key"]);

/**
 * Says why the page has to be left, once everything on it is kept for the way back.
 * @param {HTMLFormElement} form
 * @param {"credits" | "session"} why
 * @param {string} sentence what happened
 * @param {boolean} each whether each photo becomes a model of its own
 */
export async function leave(form, why, sentence, each) {
  const photos = each
    ? batch.unsent().map(({ photo }) => ({ side: "", photo }))
    : sides.taken().flatMap((side) => ({ side, photo: sides.at(side) }));
  let waits = "leave-kept";
  try {
    await draft.keep({
      account: form.dataset.account ?? "",
      each,
      photos: photos.flatMap(({ side, photo }) => (photo ? [{ side, file: photo.file, edits: photo.edits }] : [])),
      choices: [...new FormData(form)].flatMap(([name, value]) =>
        typeof value === "string" && !NOT_CHOSEN.has(name) ? [[name, value]] : [],
      ),
    });
  } catch {
    waits = "leave-not-kept";
  }
  const note = byId("leave", HTMLElement);
  byId("leave-text", HTMLElement).textContent = `${sentence} ${word(waits)}`;
  for (const link of note.querySelectorAll("a")) show(link, link.getAttribute("data-for") === why);
  show(note, true);
  note.focus();
  announce(sentence);
}

/** Takes the note away: something else is tried. */
export function stay() {
  show(byId("leave", HTMLElement), false);
}

/**
 * What waits for this account, if anything does; says so, with a way to forget it.
 * @param {HTMLFormElement} form
 * @param {() => void} forgotten called when it was forgotten
 */
export async function returned(form, forgotten) {
  const found = await draft.kept(form.dataset.account ?? "").catch(() => null);
  if (!found) return null;
  choose(form, found.choices);
  const sentence = word(found.photos.length > 1 ? "returned-many" : "returned", {
    at: moment(new Date(found.made)),
    n: found.photos.length,
  });
  byId("returned-text", HTMLElement).textContent = sentence;
  byId("forget", HTMLElement).onclick = async () => {
    await forget();
    forgotten();
    announce(word("forgotten"));
    byId("title", HTMLElement).focus();
  };
  show(byId("returned", HTMLElement), true);
  announce(sentence);
  return found;
}

/** Deletes what waits, and what the page says of it. */
export async function forget() {
  show(byId("returned", HTMLElement), false);
  await draft.forget();
}

/** Makes the choices again, as far as they are offered still. @param {HTMLFormElement} form @param {[string, string][]} choices */
function choose(form, choices) {
  for (const box of form.querySelectorAll('input[type="checkbox"][name]')) /** @type {HTMLInputElement} */ (box).checked = false;
  for (const [name, value] of choices) {
    for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (field instanceof HTMLSelectElement) {
        if (Array.from(field.options).some((option) => option.value === value)) field.value = value;
      } else if (!(field instanceof HTMLInputElement) || field.disabled || field.type === "file") continue;
      else if (field.type === "checkbox") field.checked = true;
      else if (field.type === "radio") field.checked ||= field.value === value;
      else field.value = value;
    }
  }
}
