/**
 * The first page: a photo that is dropped, picked or pasted here goes to the create page without leaving this device, and the
 * model in the stage comes alive.
 */

import { enliven } from "./alive.js";
import { choosePhotos } from "./create/adding.js";
import { offer } from "./create/incoming.js";
import { objection } from "./files.js";
import { announce, byId, show } from "./page.js";
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

/** Keeps the photos on this device and goes on with them. @param {File[]} files */
async function take(files) {
  if (taken) return;
  complain(files.map((file) => objection(file, limit)).find((why) => why !== "") ?? "");
  if (!error.hidden) {
    error.focus();
    return;
  }
  taken = true;
  try {
    await offer(files, "shared");
    announce(word("goes-on"));
    window.location.assign(drop.dataset.next ?? "");
  } catch {
    taken = false;
    complain(word("cannot-wait"));
    error.focus();
  }
}

choosePhotos((files) => void take(files), complain);
enliven(byId("alive", HTMLElement), byId("wake", HTMLButtonElement));
