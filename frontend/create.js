/** The create page: the photo stays on this device until it is sent; it is looked at first, and sent once. */

import { objection, togetherTooLarge } from "./files.js";
import { complainAt, countOptions, goTo, optionsAreSound } from "./options.js";
import { announce, byId, show, size } from "./page.js";
import { choosePhotos } from "./photo.js";
import { keepQuote, problem as unmet } from "./quote.js";
import { Refused, SignedOut, Unreachable, send } from "./sending.js";
import { keepViews, morePhotos } from "./views.js";
import { word } from "./words.js";

const form = byId("create", HTMLFormElement);
const buttons = [byId("send", HTMLButtonElement), byId("send-phone", HTMLButtonElement)];
const error = byId("photo-error", HTMLElement);
const preview = byId("preview", HTMLImageElement);
const input = byId("id_photo", HTMLInputElement);
const limit = Number(form.dataset.megabytes);

/** @type {File | null} */
let photo = null;
let shownAt = "";
let busy = false;

/** Shows a sentence beside the photo, or takes it away. @param {string} sentence */
function complain(sentence) {
  const place = error.querySelector("span");
  if (place) place.textContent = sentence;
  show(error, sentence !== "");
  byId("choose", HTMLElement).toggleAttribute("aria-invalid", sentence !== "");
  if (sentence) announce(sentence);
}

/** Takes a photo in, or says why not. @param {File} file */
function take(file) {
  if (busy) return;
  const why = objection(file, limit);
  if (why) {
    complain(why);
    return;
  }
  photo = file;
  complain("");
  if (shownAt) URL.revokeObjectURL(shownAt);
  shownAt = URL.createObjectURL(file);
  preview.src = shownAt;
  show(byId("no-preview", HTMLElement), false);
  byId("drop", HTMLElement).classList.add("chosen");
  const title = byId("title", HTMLElement);
  title.textContent = title.dataset.chosen ?? title.textContent;
  for (const id of ["held", "another"]) show(byId(id, HTMLElement), true);
  const facts = byId("facts", HTMLElement);
  facts.textContent = word("facts-plain", { bytes: size(file.size) });
  show(facts, true);
  announce(word("chosen"));
}

preview.addEventListener("load", () => {
  show(preview, true);
  const pixels = `${preview.naturalWidth} × ${preview.naturalHeight}`;
  if (photo) byId("facts", HTMLElement).textContent = word("facts", { size: pixels, bytes: size(photo.size) });
});
preview.addEventListener("error", () => {
  show(preview, false);
  show(byId("no-preview", HTMLElement), true);
});

/** Puts the page into or out of the state in which a photo is on its way. @param {boolean} now */
function setBusy(now) {
  busy = now;
  show(byId("sending", HTMLElement), now);
  show(byId("held", HTMLElement), !now && photo !== null);
  show(byId("another", HTMLElement), !now && photo !== null);
  for (const button of buttons) {
    button.disabled = now;
    for (const label of button.children) show(label, label.classList.contains("busy-label") === now);
  }
}

/** Shows how far the photo has come. @param {number} part 0 to 1 */
function progress(part) {
  byId("sending-bar", HTMLProgressElement).value = Math.round(part * 100);
  byId("sending-percent", HTMLElement).textContent = `${Math.round(part * 100)} %`;
  if (part >= 1) byId("sending-label", HTMLElement).textContent = word("checking");
}

/** What went wrong, for people. @param {unknown} problem */
function explanation(problem) {
  if (problem instanceof Refused) return problem.message;
  if (problem instanceof SignedOut) return word("signed-out");
  if (problem instanceof Unreachable) return navigator.onLine ? word("broken") : word("offline");
  return word("odd");
}

/** Shows what the server objects to, each sentence beside its field, and goes to the first. @param {unknown} failure */
function showRefusal(failure) {
  const named = failure instanceof Refused ? Object.entries(failure.errors) : [];
  const unplaced = named.filter(([name, why]) => name === "photo" || !complainAt(name, why)).map(([, why]) => why);
  const placed = named.find(([name]) => name !== "photo" && document.getElementById(`${name}-error`));
  complain(unplaced.length || !placed ? unplaced.join(" ") || explanation(failure) : "");
  if (!placed || unplaced.length) {
    error.focus();
    return;
  }
  announce(placed[1]);
  const field = document.getElementById(`id_${placed[0]}`) ?? form.querySelector(`[name="${placed[0]}"]:checked`);
  if (field instanceof HTMLElement) goTo(field);
}

/** The photos as they are sent, without their names, which stay here. @param {File} front */
function packed(front) {
  const body = new FormData(form);
  body.set("photo", front, "photo");
  for (const [name, file] of morePhotos()) {
    if (file) body.set(name, file, "photo");
    else body.delete(name);
  }
  return body;
}

/** Whether there is something to send that somebody would take; says so and goes there if not. */
function ready() {
  if (!photo) {
    complain(word("choose"));
    byId("choose", HTMLElement).focus();
    return false;
  }
  const files = [photo, ...morePhotos().values()].flatMap((file) => file ?? []);
  complain(togetherTooLarge(files, limit));
  if (error.hidden === false) {
    error.focus();
    return false;
  }
  if (!optionsAreSound()) return false;
  const why = unmet(form);
  if (why) {
    const provider = form.querySelector('input[name="provider"]:checked');
    if (provider instanceof HTMLElement) goTo(provider);
    announce(why);
  }
  return why === "";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy || !ready() || !photo) return;
  complainAt("provider", "");
  const body = packed(photo);
  setBusy(true);
  try {
    window.location.assign(await send(form.action, body, progress));
  } catch (failure) {
    setBusy(false);
    showRefusal(failure);
  }
});

byId("another", HTMLElement).addEventListener("click", () => input.click());
window.addEventListener("pagehide", () => {
  if (shownAt) URL.revokeObjectURL(shownAt);
});

choosePhotos(take, complain);
keepViews(limit);
keepQuote(form);
countOptions(form);
