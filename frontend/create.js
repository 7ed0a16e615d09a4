/** The create page: photos stay on this device until they are sent; they are prepared here first, and sent once. */

import { choosePhotos } from "./create/adding.js";
import * as batch from "./create/batch.js";
import * as incoming from "./create/incoming.js";
import { forget, leave, returned, stay } from "./create/leaving.js";
import { alone, pictures, shownBeside, together } from "./create/packing.js";
import { untouched } from "./create/photo.js";
import { Busy, sendAll } from "./create/queue.js";
import { ask, keepSeveral, withdraw } from "./create/several.js";
import * as sides from "./create/sides.js";
import { keepAll, keepStage, settleStage, tellProgress } from "./create/stage.js";
import { keepTiles } from "./create/tiles.js";
import { objection, togetherTooLarge } from "./files.js";
import { complainAt, countOptions, goTo, optionsAreSound } from "./options.js";
import { announce, byId, pause, show } from "./page.js";
import { keepQuote, priceOf, problem as unmet } from "./quote.js";
import { Refused, SignedOut, Unreachable, send } from "./sending.js";
import { credits, word } from "./words.js";

const CUT_OUT = "mmi-cut-out"; // “off” where somebody turned it off
const HAND_ON_MS = 1000;

const form = byId("create", HTMLFormElement);
const buttons = [byId("send", HTMLButtonElement), byId("send-phone", HTMLButtonElement)];
const error = byId("photo-error", HTMLElement);
const limit = Number(form.dataset.megabytes);
const longest = Number(byId("device", HTMLTemplateElement).dataset.longest);
const nobody = buttons[0].disabled;

/** Whether each photo becomes a model of its own. */
let each = false;
let busy = false;

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

/** Shows a sentence beside the photo, or takes it away. @param {string} sentence */
function complain(sentence) {
  const place = error.querySelector("span");
  if (place) place.textContent = sentence;
  show(error, sentence !== "");
  byId("choose", HTMLElement).toggleAttribute("aria-invalid", sentence !== "");
  if (sentence) announce(sentence);
}

/** Takes added files in, asking first what several are. @param {File[]} files */
async function take(files) {
  if (busy || nobody) return;
  const good = files.filter((file) => objection(file, limit) === "");
  const bad = files.find((file) => !good.includes(file));
  const why = bad ? objection(bad, limit) : "";
  complain(bad && files.length > 1 ? word("named", { name: bad.name, why }) : why);
  if (!good.length) return;
  stay();
  if (!each) {
    if (good.length === 1) return addOne(sides.shown(), good[0]);
    const answer = await ask(good, sides.fields().size);
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
  sides.put(sides.at(sides.FRONT) ? side : sides.FRONT, file, how());
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

/** Shows how far the photo has come. @param {number} part 0 to 1 */
function progress(part) {
  byId("sending-bar", HTMLProgressElement).value = Math.round(part * 100);
  byId("sending-percent", HTMLElement).textContent = `${Math.round(part * 100)} %`;
  byId("sending-label", HTMLElement).textContent = word(part >= 1 ? "checking" : "sending");
}

/** What went wrong, for people. @param {unknown} failure */
function explanation(failure) {
  if (failure instanceof Refused) return failure.message;
  if (failure instanceof Busy) return failure.message || word("busy");
  if (failure instanceof SignedOut) return word("signed-out");
  if (failure instanceof Unreachable) return navigator.onLine ? word("broken") : word("offline");
  return word("odd");
}

/** Whether a failure is one that this page has to be left for; says so then. @param {unknown} failure */
function leaves(failure) {
  if (failure instanceof SignedOut) void leave(form, "session", word("session-over"), each);
  else if (failure instanceof Refused && failure.code === "insufficient_credits") void leave(form, "credits", failure.message, each);
  else return false;
  return true;
}

/** Shows what the server objects to, each sentence beside its field, and goes to the first. @param {unknown} failure */
function showRefusal(failure) {
  if (leaves(failure)) return;
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

/** Whether there is something to send that somebody would take; says so and goes there if not. */
function ready() {
  stay();
  complain("");
  if (!each && !sides.at(sides.FRONT)) {
    complain(word("choose"));
    byId("choose", HTMLElement).focus();
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

/** Whether there are credits enough; where the page says no, the server is asked once more, without a photo. */
async function affordable() {
  const price = (priceOf(form) ?? 0) * Number(form.dataset.count);
  if (price <= Number(form.dataset.balance)) return true;
  try {
    const answer = await fetch(form.action, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.getElementById("create")?.dataset.balance;
    if (now !== undefined) form.dataset.balance = now;
  } catch {
    return true; // no connection: sending says so
  }
  form.dispatchEvent(new Event("change"));
  if (price <= Number(form.dataset.balance)) return true;
  await leave(form, "credits", word("fewer", { price: credits(price) }), each);
  return false;
}

/** Sends the photos of one object and goes to its job. */
async function sendTogether() {
  for (const side of sides.taken()) await sides.at(side)?.ready();
  complain(togetherTooLarge(pictures(), limit));
  if (!error.hidden) return error.focus();
  setBusy(true, word("sending-short"));
  const address = await send(form.action, together(form), progress);
  const photo = shownBeside();
  const handed = photo && incoming.handOn(idOf(address), photo).catch(() => undefined);
  await Promise.race([Promise.all([handed, forget()]), pause(HAND_ON_MS)]);
  window.location.assign(address);
  return new Promise(() => undefined); // until the page goes
}

/** The id at the end of a job's address. @param {string} address */
const idOf = (address) => address.split("/").at(-1) ?? "";

/** Sends each photo that waits as a job of its own. */
async function sendEach() {
  setBusy(true, word("sending-short"));
  void batch.look();
  await sendAll(batch.entries, {
    make: async (entry, state) => {
      const { photo } = entry;
      photo.edits.all = all();
      if (!photo.picture && !photo.unreadable) await photo.renew(() => undefined, tellProgress);
      await photo.ready();
      state("sending");
      const address = await send(form.action, alone(form, photo, entry.key), () => undefined);
      await incoming.handOn(idOf(address), photo.plain?.blob ?? photo.file).catch(() => undefined);
      photo.release();
      return address;
    },
    explain: explanation,
    stops: (failure) => leaves(failure) || (failure instanceof Unreachable && !navigator.onLine),
    tell: (entry) => {
      batch.draw(entry);
      if (entry.why && entry.state === "waiting") complain(entry.why);
    },
    pause,
  });
  if (batch.unsent().length === 0) {
    await forget();
    announce(word("batch-sent"));
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy || !ready()) return;
  complainAt("provider", "");
  setBusy(true, word("preparing"));
  try {
    if (await affordable()) await (each ? sendEach() : sendTogether());
  } catch (failure) {
    showRefusal(failure);
  }
  setBusy(false);
});

/** Takes in what came from elsewhere on this device, or what waits from before. */
async function begin() {
  void incoming.tidy().catch(() => undefined);
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
