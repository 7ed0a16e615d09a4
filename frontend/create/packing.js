/** What is sent: the choices and the pictures as they were made here, without names, which stay on this device. */

import { FRONT, at, fields, taken } from "./sides.js";

/** @typedef {import("./photo.js").Photo} Photo */

/** The form without its own files. @param {HTMLFormElement} form */
function choices(form) {
  const body = new FormData(form);
  for (const name of fields().values()) body.delete(name);
  return body;
}

/** The photos of one object. @param {HTMLFormElement} form */
export function together(form) {
  const body = choices(form);
  for (const [side, name] of fields()) {
    const photo = at(side);
    if (photo) body.set(name, photo.blob, "photo");
  }
  return body;
}

/** One photo of several that each become a model. @param {HTMLFormElement} form @param {Photo} photo @param {string} key */
export function alone(form, photo, key) {
  const body = choices(form);
  body.set("photo", photo.blob, "photo");
  body.set("request_key", key);
  return body;
}

/** The front’s photo without tags and with its background: what this device may show beside the model. */
export function shownBeside() {
  const front = at(FRONT);
  return front ? (front.plain?.blob ?? front.file) : null;
}

/** The pictures that would be sent together. */
export function pictures() {
  return taken().flatMap((side) => at(side)?.blob ?? []);
}
