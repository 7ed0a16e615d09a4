/** The stage: the photo that is shown large, its cut-out beside it, and what can be done to it. */

import { announce, byId, show, size } from "../page.js";
import { word } from "../words.js";
import { crop, keepCrop, leaveCrop } from "./crop.js";
import { turned } from "./rectangle.js";
import { showRemoved } from "./removed.js";
import * as sides from "./sides.js";
import { keepWipe, wipe } from "./wipe.js";

/** @typedef {import("./photo.js").Photo} Photo */

const PAUSE_MS = 120;

/** What the pictures show now, with their addresses. @type {Map<string, {blob: Blob, address: string}>} */
const drawn = new Map();
/** The photo whose cut-out was revealed. @type {Photo | null} */
let revealed = null;
let cropping = false;
/** @type {(cutOut: boolean) => void} */
let remember = () => undefined;
/** Whether the network is on its way: the first time it is a matter of megabytes. */
let loading = false;

/** Shows a blob in one of the pictures, or nothing. @param {string} id @param {Blob | null} blob */
function picture(id, blob) {
  const image = byId(id, HTMLImageElement);
  const before = drawn.get(id);
  if (before?.blob === blob) return;
  if (before) URL.revokeObjectURL(before.address);
  drawn.delete(id);
  if (!blob) {
    show(image, false);
    image.removeAttribute("src");
    return;
  }
  const address = URL.createObjectURL(blob);
  drawn.set(id, { blob, address });
  image.src = address;
}

/** What will be sent, in a sentence. @param {Photo} photo */
function facts(photo) {
  const bytes = size(photo.blob.size);
  const made = photo.picture;
  if (!made) return word(photo.unreadable ? "facts-as-is" : "facts-plain", { bytes });
  const said = { size: `${made.width} × ${made.height}`, bytes };
  if (photo.edits.cutOut && photo.cut) return word(photo.cut.why === "own" ? "facts-own" : "facts-cut", said);
  if (photo.doing === "cutting") return word("facts-cutting", said);
  if (!photo.edits.cutOut) return word("facts-whole", said);
  const why = word(`cut-${photo.why}`);
  return word("facts-server", { ...said, why: why === `cut-${photo.why}` ? word("cut-failed") : why });
}

/** Brings the stage up to date. */
function draw() {
  const photo = sides.at(sides.shown());
  byId("drop", HTMLElement).classList.toggle("chosen", photo !== null);
  for (const id of ["held", "another", "photo-tools"]) show(byId(id, HTMLElement), photo !== null && !cropping);
  show(byId("facts", HTMLElement), photo !== null);
  drawUnreadable(photo);
  drawTitle(photo);
  if (!cropping) {
    picture("preview", photo && photo.unreadable === "" ? (photo.plain?.blob ?? photo.file) : null);
    picture("cut", photo?.edits.cutOut ? (photo.cut?.blob ?? null) : null);
  }
  const both = !cropping && photo?.edits.cutOut === true && photo.cut !== null && photo.cut.why !== "own";
  byId("picture", HTMLElement).classList.toggle("both", both);
  show(byId("wipe", HTMLElement), both);
  if (both && revealed !== photo) {
    wipe();
    if (sides.shown() === sides.FRONT) announce(word("cut-done"));
  }
  revealed = both ? photo : null;
  drawTools(photo);
  if (photo) byId("facts", HTMLElement).textContent = facts(photo);
  drawTags();
}

/** Says why there is nothing to see. @param {Photo | null} photo */
function drawUnreadable(photo) {
  const note = byId("no-preview", HTMLElement);
  show(note, Boolean(photo?.unreadable));
  if (!photo?.unreadable) return;
  const own = word(`unreadable-${photo.unreadable}`);
  const text = note.querySelector("span");
  if (text) text.textContent = own === `unreadable-${photo.unreadable}` ? word("unreadable") : own;
}

/** The heading says what there is to look at. @param {Photo | null} photo */
function drawTitle(photo) {
  const title = byId("title", HTMLElement);
  title.dataset.empty ??= title.textContent ?? "";
  const named = photo?.cut && photo.edits.cutOut ? title.dataset.cut : title.dataset.chosen;
  title.textContent = (photo ? named : title.dataset.empty) ?? "";
}

/** @param {Photo | null} photo */
function drawTools(photo) {
  const able = photo !== null && photo.unreadable === "";
  show(byId("photo-tools", HTMLElement), able && !cropping);
  byId("show-cut", HTMLElement).setAttribute("aria-pressed", String(photo?.edits.cutOut ?? false));
  byId("show-whole", HTMLElement).setAttribute("aria-pressed", String(photo ? !photo.edits.cutOut : false));
  const edge = byId("edge", HTMLInputElement);
  const ours = photo?.cut ? photo.cut.why === "" : photo?.why === ""; // the edge of another’s cut-out cannot be moved
  show(byId("edge-field", HTMLElement), able && !cropping && photo.edits.cutOut && ours);
  edge.disabled = !photo?.cut;
  if (photo && document.activeElement !== edge) edge.value = String(Math.round(photo.edits.edge * 100));
  const doing = byId("doing", HTMLElement);
  if (photo?.doing === "cutting") doing.textContent = word(loading ? "cut-loading" : "cutting");
  show(doing, photo?.doing === "cutting");
}

/** The strip tells of all photos of the object. */
function drawTags() {
  const photos = sides.taken().flatMap((side) => sides.at(side) ?? []);
  if (!photos.length) return showRemoved(null);
  if (photos.some((photo) => photo.doing === "reading")) return;
  const tags = photos.flatMap((photo) => photo.plain?.tags ?? []);
  showRemoved({ tags, unread: tags.length === 0 && photos.some((photo) => photo.unreadable !== "") });
}

/** Says what the device does: whether it loads or works. @type {import("../device/prepare.js").Progress} */
export function tellProgress(_part, stage) {
  if (loading === (stage === "loading")) return;
  loading = stage === "loading";
  drawTools(sides.at(sides.shown()));
}

/** Keeps everything that stands out in the photos, or only the main subject. @param {boolean} all */
export function keepAll(all) {
  for (const side of sides.taken()) {
    const photo = sides.at(side);
    if (!photo || (photo.edits.all ?? false) === all) continue;
    photo.edits.all = all;
    if (photo.edits.cutOut) void photo.renew(sides.tell, tellProgress);
  }
}

/** Turns the photo a quarter clockwise, with the part of it that is kept. */
function turn() {
  const photo = sides.at(sides.shown());
  if (!photo) return;
  photo.edits.turns = /** @type {0 | 1 | 2 | 3} */ ((photo.edits.turns + 1) % 4);
  photo.edits.crop = photo.edits.crop && turned(photo.edits.crop);
  announce(word("turned"));
  void photo.renew(sides.tell, tellProgress);
}

/** Lets a person choose the part that is kept. */
async function chooseCrop() {
  const photo = sides.at(sides.shown());
  if (!photo || cropping) return;
  cropping = true;
  draw();
  let chosen;
  try {
    const whole = await photo.whole();
    picture("preview", whole.blob);
    picture("cut", null);
    chosen = await crop(photo.edits.crop, whole);
  } finally {
    cropping = false;
    sides.tell();
    byId("crop-begin", HTMLElement).focus({ preventScroll: true });
  }
  if (chosen === undefined) return;
  photo.edits.crop = chosen;
  announce(word("cropped"));
  await photo.renew(sides.tell, tellProgress);
}

/** Cuts out, or not, for all photos of the object; remembered. @param {boolean} cutOut */
function setCutOut(cutOut) {
  for (const side of sides.taken()) {
    const photo = sides.at(side);
    if (!photo) continue;
    photo.edits.cutOut = cutOut;
    void photo.cutOut(sides.tell, tellProgress);
  }
  remember(cutOut);
  sides.tell();
}

/**
 * Listens to the tools and keeps the stage true to the photos.
 * @param {{remember: (cutOut: boolean) => void}} told
 */
export function keepStage(told) {
  ({ remember } = told);
  for (const id of ["preview", "cut"]) {
    const image = byId(id, HTMLImageElement);
    image.addEventListener("load", () => show(image, true));
    image.addEventListener("error", () => show(image, false));
  }
  byId("turn", HTMLElement).addEventListener("click", turn);
  byId("crop-begin", HTMLElement).addEventListener("click", () => void chooseCrop());
  byId("show-cut", HTMLElement).addEventListener("click", () => setCutOut(true));
  byId("show-whole", HTMLElement).addEventListener("click", () => setCutOut(false));
  const edge = byId("edge", HTMLInputElement);
  let due = 0;
  edge.addEventListener("input", () => {
    window.clearTimeout(due);
    due = window.setTimeout(() => {
      void sides.at(sides.shown())?.moveEdge(Number(edge.value) / 100, sides.tell).catch(() => announce(word("cut-failed")));
    }, PAUSE_MS);
  });
  for (const event of ["input", "change"]) {
    // Part of no choice that is sent.
    for (const id of ["edge", "crop-panel"]) byId(id, HTMLElement).addEventListener(event, (heard) => heard.stopPropagation());
  }
  keepWipe(() => !cropping && sides.at(sides.shown())?.cut !== null);
  keepCrop();
  sides.onChange(draw);
  window.addEventListener("pagehide", () => {
    for (const { address } of drawn.values()) URL.revokeObjectURL(address);
  });
}

/** Ends what was begun on the stage, before the photo goes. */
export function settleStage() {
  leaveCrop();
}
