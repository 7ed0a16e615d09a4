/**
 * Pages where somebody leaves (sign-out, erasure) or comes back to a job that is over: what this device still keeps, said
 * where the page has a place for it, and forgotten if the person wants that.
 */

import { shelfOf } from "./library/account.js";
import { chooseLeaving, forgetsOnLeaving } from "./library/choices.js";
import { forgetDevice, survey } from "./library/forgetting.js";
import { bytesOf } from "./library/record.js";
import { fetchReceipt, proves } from "./library/receipt.js";
import { large, models } from "./library/space.js";
import { byId, show } from "./page.js";
import { checkReceipt } from "./receipted.js";
import { word } from "./words.js";

/** What is kept for the account that a place names; of all accounts where it names none. @param {HTMLElement} place */
async function held(place) {
  const shelf = shelfOf(place);
  if (!shelf) return await survey([]);
  const all = await shelf.all();
  return { models: all.length, bytes: all.reduce((sum, kept) => sum + bytesOf(kept), 0) };
}

/** On the page of a job that is over: the way to its model. @param {HTMLElement} place */
async function pointTo(place) {
  const shelf = shelfOf(place);
  const found = await shelf?.get(place.dataset.job ?? "");
  show(place, Boolean(found));
  if (!shelf || !found || (await proves(await shelf.file(found, "receipt")))) return;
  await fetchReceipt(shelf, found.job, place.dataset.receipt ?? "");
}

/** On the sign-out page: a choice, remembered, that is carried out before the form goes. @param {HTMLElement} place */
async function offerToForget(place) {
  const found = await held(place);
  if (!found.models) return;
  const box = byId("forget-too", HTMLInputElement);
  const form = place.closest("form") ?? document.querySelector("main form");
  if (!(form instanceof HTMLFormElement)) return;
  byId("forget-too-what", HTMLElement).textContent = word("held", { models: models(found.models), size: large(found.bytes) });
  box.checked = await forgetsOnLeaving();
  show(place, true);
  form.addEventListener("submit", async (event) => {
    if (form.dataset.done) return;
    event.preventDefault();
    form.dataset.done = "yes";
    try {
      await chooseLeaving(box.checked);
      if (box.checked) await shelfOf(place)?.removeAll();
    } catch {
      delete form.dataset.done;
      show(byId("forget-failed", HTMLElement), true);
      box.checked = false; // pressing again signs out without it
      return;
    }
    form.submit();
  });
}

/** On pages of an erasure: what stays on this device, and a button for it. @param {HTMLElement} place */
async function tellOfErasure(place) {
  const found = await held(place);
  if (!found.models) return;
  byId("device-keeps", HTMLElement).textContent = word("held", { models: models(found.models), size: large(found.bytes) });
  show(place, true);
  const button = byId("device-forget", HTMLButtonElement);
  button.addEventListener("click", async () => {
    if (!button.dataset.asked) {
      button.dataset.asked = "yes";
      button.textContent = word("forget-sure");
      return;
    }
    const shelf = shelfOf(place);
    const gone = shelf ? (await shelf.removeAll()) > 0 : await forgetDevice();
    byId("device-said", HTMLElement).textContent = word(gone ? "forget-done" : "forget-partly");
    show(button, !gone);
  });
}

for (const [id, tell] of /** @type {const} */ ([
  ["kept-here", pointTo],
  ["forget-choice", offerToForget],
  ["device-library", tellOfErasure],
])) {
  const place = document.getElementById(id);
  // A browser without storage keeps nothing, so there is nothing to say.
  if (place) tell(place).catch(() => undefined);
}
void checkReceipt();
