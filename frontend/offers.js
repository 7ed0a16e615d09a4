/**
 * Which offers take all of the choices made, and why the others do not: the same rule as the server's router, which
 * decides in the end. An offer is a provider's radio button; what its card says lies in its data attributes.
 */

import { FRONT, taken } from "./create/sides.js";
import { chosenOptions } from "./options.js";
import { word } from "./words.js";

/**
 * What is asked for beside the quality.
 * @typedef {{options: string[], views: string[], format: string, most: number | null, who: string[]}} Wishes
 */

/**
 * The chosen radio button of a group.
 * @param {HTMLFormElement} form
 * @param {string} name
 */
export function chosen(form, name) {
  return /** @type {HTMLInputElement | null} */ (form.querySelector(`input[name="${name}"]:checked`));
}

/**
 * The offers that can be chosen.
 * @param {HTMLFormElement} form
 * @returns {HTMLInputElement[]}
 */
export function offers(form) {
  return Array.from(form.querySelectorAll('input[name="provider"]:not([value=""]):not(:disabled)'));
}

/**
 * What the form asks for now.
 * @param {HTMLFormElement} form
 * @returns {Wishes}
 */
export function wishes(form) {
  const most = form.querySelector('input[name="most_credits"]');
  const format = form.querySelector('select[name="format"]');
  return {
    options: chosenOptions(),
    views: taken().filter((side) => side !== FRONT),
    format: format instanceof HTMLSelectElement ? format.value : "glb",
    most: most instanceof HTMLInputElement && most.value !== "" && most.validity.valid ? Number(most.value) : null,
    who: ["self_hosted", "no_retention", "no_training"].filter((name) => chosen(form, name)),
  };
}

/**
 * Why an offer cannot have the job, in words that go behind its name; empty when it can.
 * @param {HTMLInputElement} offer
 * @param {string} quality
 * @param {Wishes} wished
 */
export function objections(offer, quality, wished) {
  const has = (/** @type {string} */ list, /** @type {string} */ name) =>
    (offer.getAttribute(`data-${list}`) ?? "").split(" ").includes(name);
  const price = offer.getAttribute(`data-credits-${quality}`);
  const found = [];
  if (price === null) found.push(word("out-quality"));
  for (const view of wished.views) if (!has("views", view)) found.push(word(`out-view-${view}`));
  for (const name of wished.options) if (!has("options", name)) found.push(word(`out-option-${name}`));
  if (!has("formats", wished.format)) found.push(word("out-format", { format: wished.format.toUpperCase() }));
  if (price !== null && wished.most !== null && Number(price) > wished.most) found.push(word("out-price"));
  for (const name of wished.who) if (!has("meets", name)) found.push(word(`out-${name}`));
  return found;
}

/**
 * The best offer for a quality, in the router's order; undefined when none takes all of the choices.
 * @param {HTMLFormElement} form
 * @param {string} quality
 * @param {Wishes} wished
 */
export function best(form, quality, wished) {
  const rank = (/** @type {HTMLInputElement} */ offer) => Number(offer.getAttribute(`data-rank-${quality}`));
  return offers(form)
    .filter((offer) => objections(offer, quality, wished).length === 0)
    .sort((one, other) => rank(one) - rank(other))
    .at(0);
}
