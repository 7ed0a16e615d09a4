/**
 * The verify page: a receipt's file may be dropped on the field, or chosen; it is checked here, in the browser, and not
 * sent. Where the browser cannot check signatures, the form goes to the server as it does without scripts.
 */

import { byId, pause, show } from "./page.js";
import { canVerify, compare, demandHead, headIn, judge, whyRefused } from "./proof.js";
import { Malformed, isObject, parse } from "./strict.js";
import { showVerdict } from "./verdict.js";
import { word } from "./words.js";

/** @typedef {import("./strict.js").JsonObject} JsonObject */
/** @typedef {import("./strict.js").JsonValue} JsonValue */

const LARGEST = 256_000;
const KEPT = "log-head";
const form = byId("verify", HTMLFormElement);
const field = byId("id_document", HTMLTextAreaElement);
const file = byId("id_file", HTMLInputElement);
const older = byId("id_older", HTMLTextAreaElement);
const able = canVerify();

/** What the site answers at an address of the log; throws when there is no answer. @param {string} address */
async function fetched(address) {
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  if (!response.ok && response.status !== 404) throw new Error(String(response.status));
  return { found: response.ok, answer: parse(await response.text()) };
}

/** The keys and the present head. */
async function published() {
  const { answer } = await fetched(form.dataset.log ?? "");
  if (!isObject(answer) || !isObject(answer.keys)) throw new Malformed();
  return { keys: answer.keys, head: answer.head };
}

/** @param {number} first @param {number} second */
async function consistency(first, second) {
  return (await fetched(`${form.dataset.consistency}?first=${first}&second=${second}`)).answer;
}

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
  const { keys, head: present } = await published();
  const judged = await judge(field.value, keys, async (leaf) => {
    const { size } = await demandHead(present, keys);
    const { found, answer } = await fetched(`${form.dataset.proof}?leaf=${leaf}&size=${size}`);
    return found ? { proof: answer, head: present } : null;
  });
  if (judged.head && judged.checks.every(({ state }) => state === "ok")) {
    try {
      judged.checks.push(await compare(judged.head, await demandHead(present, keys), consistency));
    } catch (error) {
      const why = whyRefused(error);
      if (why === null) throw error;
      judged.checks.push({ name: "consistency", state: "failed", word: `head-${why}` });
    }
    for (const text of new Set([older.value.trim(), kept()])) {
      if (!text) continue;
      try {
        judged.checks.push(await compare(judged.head, await demandHead(headIn(text), keys), consistency));
      } catch (error) {
        const why = whyRefused(error);
        if (why === null) throw error;
        judged.checks.push({ name: "head", state: "failed", word: `older-${why}` });
      }
    }
  }
  showVerdict(judged, byId("verdict", HTMLElement), byId("paper", HTMLElement));
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
    const { keys, head } = await published();
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
