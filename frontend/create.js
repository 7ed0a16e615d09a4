/** The create page: photos stay on this device until they are sent; they are prepared here first, and sent once. */

import { choosePhotos } from "./create/adding.js";
import * as batch from "./create/batch.js";
import { affordable, sendEach, sendTogether } from "./create/dispatch.js";
import * as incoming from "./create/incoming.js";
import { forget, returned, stay } from "./create/leaving.js";
import { untouched } from "./create/photo.js";
import { complain, complained, showRefusal } from "./create/refusals.js";
import { ask, keepSeveral } from "./create/several.js";
import * as sides from "./create/sides.js";
import { keepAll, keepStage, settleStage, tellProgress } from "./create/stage.js";
import { keepTiles } from "./create/tiles.js";
import { objection } from "./files.js";
import { complainAt, countOptions, goTo, optionsAreSound } from "./options.js";
import { announce, byId, show } from "./page.js";
import { keepQuote, priceOf, problem as unmet } from "./quote.js";
import { word } from "./words.js";

const CUT_OUT = "mmi-cut-out"; // “off” where somebody turned it off

const form = byId("create", HTMLFormElement);
const buttons = [byId("send", HTMLButtonElement), byId("send-phone", HTMLButtonElement)];
const limit = Number(form.dataset.megabytes);
const longest = Number(byId("device", HTMLTemplateElement).dataset.longest);
const nobody = buttons[0].disabled;

/** Whether each photo becomes a model of its own. */
let each = false;
let busy = false;
/** Files of which the page asks what they are. @type {File[]} */
const asked = [];

/** How photos are taken in now. @param {import("./create/photo.js").Edits} [edits] */
function how(edits = { ...untouched(wished()), all: all() }) {
  return { longest, edits, progress: tellProgress };
}

/** Whether everything in the photos becomes part of the model. */
const all = () => byId("id_keep_all", HTMLInputElement).checked;

/** Whether the background is to be cut out here. */
function wished() {
  try {
    return localStorage.getItem(CUT_OUT) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

/** Remembers that. @param {boolean} cutOut */
function remember(cutOut) {
  try {
    if (cutOut) localStorage.removeItem(CUT_OUT);
    else localStorage.setItem(CUT_OUT, "off");
  } catch {
    // It holds for this page, then.
  }
}

/** Takes added files in, asking first what several are. @param {File[]} files */
async function take(files) {
  if (busy || nobody) return;
  let good = files.filter((file) => objection(file, limit) === "");
  const bad = files.find((file) => !good.includes(file));
  const why = bad ? objection(bad, limit) : "";
  complain(bad && files.length > 1 ? word("named", { name: bad.name, why }) : why);
  if (!good.length) return;
  stay();
  if (!each) {
    if (good.length === 1 && !asked.length) return addOne(sides.at(sides.FRONT) ? sides.shown() : sides.FRONT, good[0]);
    asked.push(...good);
    const answer = await ask(asked, sides.fields().size);
    if (answer === "again") return; // more were added, and the question is about all of them
    good = asked.splice(0);
    if (answer === "neither") return;
    if (answer === "together") return addTogether(good);
  }
  const first = !each;
  beginEach();
  const over = batch.add(good, how());
  if (first) byId("title", HTMLElement).focus();
  if (over) complain(word("batch-full", { n: batch.MOST, over }));
  else announce(word("batch-added", { n: good.length }));
}

/** @param {string} side @param {File} file */
function addOne(side, file) {
  settleStage();
  void forget();
  sides.put(side, file, how());
  announce(word("chosen"));
}

/** One object: the files take the free sides in order, then those after the front. @param {File[]} files */
function addTogether(files) {
  settleStage();
  void forget();
  const all = [...sides.fields().keys()];
  const free = all.filter((side) => !sides.at(side));
  const places = free.length >= files.length ? free : all;
  files.forEach((file, place) => sides.put(places[place], file, how()));
  sides.select(sides.FRONT);
  announce(word("chosen"));
}

/** From here on each photo becomes a model of its own; those that are here are the first. */
function beginEach() {
  if (each) return;
  settleStage();
  void forget();
  each = true;
  for (const side of sides.taken()) {
    const photo = sides.at(side);
    if (photo) batch.add([photo.file], how(photo.edits));
  }
  sides.clear();
}

/** Back to one object. */
function endEach() {
  batch.clear();
  each = false;
  update();
}

/** Brings the quote and the buttons up to date with what there is to send. */
function update() {
  for (const id of ["drop", "one"]) show(byId(id, HTMLElement), !each);
  show(byId("batch", HTMLElement), each);
  const waiting = batch.unsent().length;
  form.dataset.count = String(each ? Math.max(1, waiting) : 1);
  const label = !each ? word("make") : waiting > 1 ? word("make-many", { n: waiting }) : word(waiting ? "make" : "make-none");
  for (const place of form.querySelectorAll("[data-make]")) place.textContent = label;
  for (const button of buttons) button.disabled = nobody || busy || (each && waiting === 0);
  show(byId("batch-new", HTMLElement), each && waiting === 0 && !batch.underWay());
  if (each) {
    const title = byId("title", HTMLElement);
    title.textContent = word(batch.entries.length > 1 ? "batch-title" : "batch-title-one", { n: batch.entries.length });
    for (const id of ["another", "held"]) show(byId(id, HTMLElement), false);
  }
  form.dispatchEvent(new Event("change"));
}

/** Puts the page into or out of the state in which something is on its way. @param {boolean} now @param {string} [doing] */
function setBusy(now, doing = "") {
  busy = now;
  form.classList.toggle("sending", now);
  show(byId("sending", HTMLElement), now && !each);
  for (const button of buttons) {
    for (const label of button.children) show(label, label.classList.contains("busy-label") === now);
    const label = button.querySelector(".busy-label");
    if (label && doing) label.textContent = doing;
  }
  for (const button of buttons) button.disabled = now || nobody;
  if (!now) update();
}

/** Whether there is something to send that somebody would take; says so and goes there if not. */
function ready() {
  stay();
  complain("");
  if (!each && !sides.at(sides.FRONT)) {
    complain(word("choose"));
    if (sides.taken().length) complained(); // of other sides only: what chooses the front is not shown
    else byId("choose", HTMLElement).focus();
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
  if (busy || !ready()) return;
  complainAt("provider", "");
  setBusy(true, word("preparing"));
  try {
    if (await affordable(form, each)) {
      const sending = () => setBusy(true, word("sending-short"));
      if (each) sending();
      await (each ? sendEach(form, all()) : sendTogether(form, limit, sending));
    }
  } catch (failure) {
    showRefusal(form, failure, each);
  }
  setBusy(false);
});

/** Takes in what came from elsewhere on this device, or what waits from before. */
async function begin() {
  void incoming.tidy().catch(() => undefined);
  if (window.location.hash === "#share-again") complain(word("share-again"));
  const given = await incoming.take(window.location.hash).catch(() => []);
  if (window.location.hash) window.history.replaceState(null, "", window.location.pathname);
  if (given.length) return take(given);
  const draft = await returned(form, () => (each ? endEach() : sides.clear()));
  if (!draft) return;
  each = draft.each;
  for (const { side, file, edits } of draft.photos) {
    if (each) batch.add([file], how(edits));
    else if (sides.fields().has(side)) sides.put(side, file, how(edits));
  }
  if (!each) sides.select(sides.FRONT);
  update();
}

byId("another", HTMLElement).addEventListener("click", () => byId("id_photo", HTMLInputElement).click());
byId("batch-more", HTMLElement).addEventListener("click", () => byId("id_photo", HTMLInputElement).click());
byId("batch-new", HTMLElement).addEventListener("click", () => {
  endEach();
  byId("choose", HTMLElement).focus();
});
window.addEventListener("beforeunload", (event) => {
  if (each && batch.underWay()) event.preventDefault();
});

choosePhotos((files) => void take(files), complain);
keepSeveral();
keepStage({ remember });
keepTiles(limit, addOne);
batch.keepBatch(() => (batch.entries.length ? update() : endEach()));
keepQuote(form);
countOptions(form);
form.addEventListener("change", () => (each ? batch.priceAll(priceOf(form)) : keepAll(all())));
sides.onChange(update);
sides.tell();
document.addEventListener("mmi:again", () => form.requestSubmit());
void begin();
