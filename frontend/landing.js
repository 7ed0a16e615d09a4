/**
 * The first page: a photo that is dropped, picked or pasted here goes to the create page without leaving this device, and the
 * model in the stage comes alive.
 */

import { enliven } from "./alive.js";
import { objection } from "./files.js";
import { handOver } from "./handover.js";
import { announce, byId, show } from "./page.js";
import { choosePhotos } from "./photo.js";
import { word } from "./words.js";

const drop = byId("drop", HTMLElement);
const error = byId("photo-error", HTMLElement);
const limit = Number(drop.dataset.megabytes);
let taken = false;

/** @param {string} sentence */
function complain(sentence) {
  const place = error.querySelector("span");
  if (place) place.textContent = sentence;
  show(error, sentence !== "");
  if (sentence) announce(sentence);
}

/** Keeps the photo on this device and goes on with it. @param {File} file */
async function take(file) {
  if (taken) return;
  complain(objection(file, limit));
  if (!error.hidden) {
    error.focus();
    return;
  }
  taken = true;
  try {
    await handOver([file]);
    announce(word("goes-on"));
    window.location.assign(drop.dataset.next ?? "");
  } catch {
    taken = false;
    complain(word("cannot-wait"));
    error.focus();
  }
}

choosePhotos((file) => void take(file), complain);
enliven(byId("alive", HTMLElement), byId("wake", HTMLButtonElement));
