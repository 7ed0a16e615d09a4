/** The create page: the photo stays on this device until it is sent; it is looked at first, and sent once. */

import { countOptions, printSizeIsSound } from "./options.js";
import { announce, byId, show, size } from "./page.js";
import { choosePhotos } from "./photo.js";
import { keepQuote } from "./quote.js";
import { Refused, SignedOut, Unreachable, send } from "./sending.js";
import { word } from "./words.js";

const form = byId("create", HTMLFormElement);
const buttons = [byId("send", HTMLButtonElement), byId("send-phone", HTMLButtonElement)];
const error = byId("photo-error", HTMLElement);
const preview = byId("preview", HTMLImageElement);
const input = byId("id_photo", HTMLInputElement);

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

/** Why a file cannot be sent, or "". The server decides by content; this only spares a useless journey. @param {File} file */
function objection(file) {
  const limit = Number(form.dataset.megabytes);
  if (file.size === 0) return word("empty");
  if (file.size > limit * 1_000_000) return word("large", { n: (file.size / 1e6).toFixed(file.size < 1e7 * limit ? 1 : 0), limit });
  if (file.type && !/^image\/(jpeg|png|webp|hei[cf]|avif)$/.test(file.type)) return word("kind");
  return "";
}

/** Takes a photo in, or says why not. @param {File} file */
function take(file) {
  if (busy) return;
  const why = objection(file);
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

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy) return;
  if (!photo) {
    complain(word("choose"));
    byId("choose", HTMLElement).focus();
    return;
  }
  complain("");
  if (!printSizeIsSound()) return;
  setBusy(true);
  const body = new FormData(form);
  body.set("photo", photo, "photo"); // the name stays here
  try {
    window.location.assign(await send(form.action, body, progress));
  } catch (problem) {
    setBusy(false);
    complain(explanation(problem));
  }
});

byId("another", HTMLElement).addEventListener("click", () => input.click());
window.addEventListener("pagehide", () => {
  if (shownAt) URL.revokeObjectURL(shownAt);
});

choosePhotos(take, complain);
keepQuote(form);
countOptions(form);
