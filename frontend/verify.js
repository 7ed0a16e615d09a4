/**
 * The verify page: a receipt's file may be dropped on the field, or chosen; it is checked here, in the browser, and not
 * sent. Where the browser cannot check signatures, the form goes to the server as it does without scripts.
 */

import { checked, published } from "./checking.js";
import { byId, pause, show } from "./page.js";
import { canVerify, demandHead, headIn } from "./proof.js";
import { isObject } from "./strict.js";
import { showVerdict } from "./verdict.js";
import { word } from "./words.js";

const LARGEST = 256_000;
const KEPT = "log-head";
const form = byId("verify", HTMLFormElement);
const field = byId("id_document", HTMLTextAreaElement);
const file = byId("id_file", HTMLInputElement);
const older = byId("id_older", HTMLTextAreaElement);
const able = canVerify();

/** The head that is kept in this browser, as text. */
function kept() {
  try {
    return localStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}

/** Says what is kept. @param {string} [sentence] */
function showKept(sentence) {
  const head = headIn(kept());
  const body = isObject(head) && isObject(head.head) ? head.head : null;
  const values = { size: Number(body?.size), time: String(body?.time).slice(0, 16).replace("T", " ") };
  byId("remembered", HTMLElement).textContent = sentence ?? word(body ? "kept" : "none-kept", values);
  show(byId("forget", HTMLElement), Boolean(body));
}

/** Checks what is in the field, and says what was found. */
async function check() {
  const heads = () => [...new Set([older.value.trim(), kept()])].filter(Boolean).map(headIn);
  showVerdict(await checked(field.value, form.dataset, heads), byId("verdict", HTMLElement), byId("paper", HTMLElement));
}

form.addEventListener("submit", (event) => {
  if (form.dataset.onServer || (!field.value.trim() && !file.files?.length)) return;
  event.preventDefault();
  void submitted();
});

/** The form was sent: checked here, or by the server after all. */
async function submitted() {
  const button = form.querySelector("button.primary");
  const label = button?.textContent ?? "";
  if (!(await able)) {
    form.dataset.onServer = "yes";
    await pause(0); // a form cannot be submitted while it still tells of being submitted
    form.requestSubmit();
    return;
  }
  if (button) button.textContent = word("checking");
  try {
    if (!field.value.trim()) await read(file.files?.[0]);
    await check();
  } catch {
    byId("where", HTMLElement).textContent = word("not-asked");
  }
  if (button) button.textContent = label;
}

/** Puts a file's text into the field. @param {File | undefined} chosen */
async function read(chosen) {
  if (chosen) field.value = await chosen.slice(0, LARGEST + 1).text();
}

field.addEventListener("dragover", (event) => event.preventDefault());
field.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  void read(event.dataTransfer.files[0]);
});
file.addEventListener("change", () => void read(file.files?.[0]));

byId("remember", HTMLElement).addEventListener("click", async () => {
  try {
    const { keys, head } = await published(form.dataset);
    await demandHead(head, keys);
    localStorage.setItem(KEPT, JSON.stringify(head));
    showKept();
  } catch {
    showKept(word("none-yet"));
  }
});
byId("forget", HTMLElement).addEventListener("click", () => {
  localStorage.removeItem(KEPT);
  showKept();
});

showKept();
void able.then((yes) => {
  if (!yes) byId("where", HTMLElement).textContent = word("on-server");
});
