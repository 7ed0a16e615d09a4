/** A model each of up to twenty photos: the list of them with the state of each, its price, its job, and what can be done. */

import { announce, byId, icon, pause, show } from "../page.js";
import { phase } from "../snapshot.js";
import { credits, word } from "../words.js";
import { Photo } from "./photo.js";
import { freshKey } from "./queue.js";

/** @typedef {import("../snapshot.js").Snapshot & {failure?: {message: string} | null}} Snapshot */
/** @typedef {import("./queue.js").Item & {photo: Photo, snapshot: Snapshot | null, credits: number | null, row: HTMLElement}} Entry */

export const MOST = 20;
const LOOK_MS = 2500;
const THUMB = 160;

/** @type {Entry[]} */
export const entries = [];
/** @type {() => void} */
let changed = () => undefined;
let looking = false;

/** Those that are not jobs yet and could be sent. */
export const unsent = () => entries.filter((entry) => entry.state === "waiting");

/** Whether one of them is on its way. */
export const underWay = () => entries.some(({ state }) => ["preparing", "sending", "held"].includes(state));

/**
 * Adds files, as many as there is room for; returns how many there was none for.
 * @param {File[]} files
 * @param {{longest: number, edits: import("./photo.js").Edits}} how
 */
export function add(files, { longest, edits }) {
  const room = files.slice(0, Math.max(0, MOST - entries.length));
  for (const file of room) {
    const row = /** @type {HTMLElement} */ (byId("batch-row", HTMLTemplateElement).content.firstElementChild?.cloneNode(true));
    const photo = new Photo(file, { ...edits }, longest);
    /** @type {Entry} */
    const entry = { key: freshKey(), state: "waiting", why: "", job: "", photo, snapshot: null, credits: null, row };
    entries.push(entry);
    byId("batch-list", HTMLElement).append(row);
    fill(entry);
  }
  changed();
  return files.length - room.length;
}

/** Puts a photo's picture, name and buttons into its row. @param {Entry} entry */
function fill(entry) {
  const { row, photo } = entry;
  const name = row.querySelector("[data-name]");
  if (name) name.textContent = photo.file.name;
  for (const hidden of row.querySelectorAll("[data-of]")) hidden.textContent = ` ${photo.file.name}`;
  row.querySelector("[data-again]")?.addEventListener("click", () => {
    Object.assign(entry, { state: "waiting", why: "", job: "", snapshot: null, key: entry.job ? freshKey() : entry.key });
    draw(entry);
    changed();
    document.dispatchEvent(new CustomEvent("mmi:again"));
  });
  row.querySelector("[data-remove]")?.addEventListener("click", () => remove(entry));
  void photo.small(THUMB).then((blob) => {
    const image = row.querySelector("img");
    if (!image || !entries.includes(entry)) return;
    const address = URL.createObjectURL(blob);
    image.addEventListener("load", () => show(image, true));
    for (const end of ["load", "error"]) image.addEventListener(end, () => URL.revokeObjectURL(address));
    image.src = address;
  });
  draw(entry);
}

/** @param {Entry} entry */
function remove(entry) {
  const place = entries.indexOf(entry);
  entries.splice(place, 1);
  entry.row.remove();
  announce(word("batch-removed", { name: entry.photo.file.name }));
  changed();
  const heir = entries[Math.min(place, entries.length - 1)];
  const button = heir?.row.querySelector("button:not([hidden])") ?? document.getElementById("choose");
  if (button instanceof HTMLElement) button.focus();
}

/** Takes all away. */
export function clear() {
  for (const entry of entries.splice(0)) entry.row.remove();
}

/** A word for the state, its colour, and whether its job still goes on. @param {Entry} entry @returns {[string, string]} */
function said(entry) {
  const { state, snapshot } = entry;
  if (state === "failed") return ["failed", "bad"];
  if (state !== "made" || !snapshot) return [state === "made" ? "running" : state, ""];
  const now = phase(snapshot);
  const colour = now === "ready" || now === "done" ? "ok" : now === "failed" || now === "expired" ? "bad" : "";
  return [now === "waiting" ? "in-line" : now, colour];
}

/** Brings a row up to date. @param {Entry} entry */
export function draw(entry) {
  const { row, state, snapshot } = entry;
  const [name, colour] = said(entry);
  const tag = row.querySelector("[data-state]");
  if (tag) {
    tag.className = `tag ${colour}`;
    tag.textContent = "";
    if (colour) tag.append(icon(colour === "ok" ? "check" : "cross"));
    const place = snapshot?.queue_position ?? 0;
    const percent = name === "running" && snapshot?.percent ? ` ${snapshot.percent} %` : "";
    tag.append(name === "in-line" && place > 1 ? word("batch-place", { n: place }) : word(`batch-${name}`) + percent);
  }
  const why = row.querySelector("[data-why]");
  if (why) why.textContent = entry.why || snapshot?.failure?.message || "";
  const cost = row.querySelector("[data-cost]");
  const held = snapshot ? snapshot.credits.held + snapshot.credits.charged : entry.credits;
  if (cost) cost.textContent = held === null ? "" : credits(state === "failed" ? 0 : held);
  const link = row.querySelector("a");
  if (link) {
    show(link, entry.job !== "");
    if (entry.job) link.href = entry.job;
  }
  const over = state === "failed" || snapshot?.outcome === "failed";
  for (const button of row.querySelectorAll("[data-again]")) show(button, over);
  for (const button of row.querySelectorAll("[data-remove]")) show(button, over || state === "waiting");
}

/** Says what each that is not sent yet would cost. @param {number | null} price */
export function priceAll(price) {
  for (const entry of entries) {
    if (entry.job) continue;
    entry.credits = price;
    draw(entry);
  }
}

/** Asks for the jobs' states, again and again, as long as one goes on. */
export async function look() {
  if (looking) return;
  looking = true;
  for (;;) {
    const going = entries.filter(({ job, snapshot }) => job && !snapshot?.final && !(snapshot && phase(snapshot) === "ready"));
    if (!going.length && !underWay()) break;
    for (const entry of going) {
      try {
        const response = await fetch(`${entry.job}/state`, { headers: { Accept: "application/json" } });
        if (!response.ok || response.redirected) continue;
        entry.snapshot = await response.json();
        draw(entry);
      } catch {
        break; // no connection: the next look may have one
      }
    }
    changed();
    await pause(LOOK_MS);
  }
  looking = false;
}

/** Calls back after each change of the list. @param {() => void} listener */
export function keepBatch(listener) {
  changed = listener;
}
