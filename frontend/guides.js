/**
 * The guides: what is typed is searched at once, by the same page that answers without scripts; `/` goes to the field, the
 * arrows through what was found, Escape back. Code can be copied.
 */

import { offerCopy } from "./copy.js";
import { announce, byId, show } from "./page.js";
import { word } from "./words.js";

const PAUSE_MS = 140; // between the last key and the question
const field = byId("q", HTMLInputElement);
const found = byId("found", HTMLElement);
/** The list of guides, which is out of sight while there is something found. */
const below = found.nextElementSibling;

let timer = 0;
/** The question that is on its way, if any. */
let asking = new AbortController();

/** Puts away what was found; on the page of results, its own list stays as it is. */
function close() {
  asking.abort();
  show(found, false);
  if (below) show(below, true);
}

/** Asks, and shows what the server's page of results has. @param {string} question */
async function ask(question) {
  asking.abort();
  asking = new AbortController();
  const form = /** @type {HTMLFormElement} */ (field.form);
  const address = `${form.action}?${new URLSearchParams({ q: question })}`;
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: asking.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const theirs = page.getElementById("found");
    if (!theirs || field.value.trim() !== question) return;
    found.replaceChildren(...Array.from(theirs.childNodes, (node) => document.importNode(node, true)));
  } catch (failure) {
    if (failure instanceof DOMException && failure.name === "AbortError") return;
    const sentence = document.createElement("p");
    sentence.textContent = word("offline");
    found.replaceChildren(sentence);
  }
  show(found, true);
  if (below?.matches(".shelf")) show(below, false); // a guide stays: its heading is the page's
  announce(found.querySelector("#count")?.textContent ?? found.textContent ?? "");
}

/** The links that were found. */
const links = () => /** @type {HTMLElement[]} */ (Array.from(found.querySelectorAll("a")));

field.addEventListener("input", () => {
  window.clearTimeout(timer);
  const question = field.value.trim();
  if (question === "") close();
  else timer = window.setTimeout(() => void ask(question), PAUSE_MS);
});

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const at = event.target;
  const inField = at === field;
  const typing = at instanceof HTMLElement && at.matches("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    field.focus();
    field.select();
    return;
  }
  const place = links().indexOf(/** @type {HTMLElement} */ (at));
  if (found.hidden || (!inField && place < 0)) return;
  if (event.key === "Escape") {
    event.preventDefault();
    field.value = "";
    close();
    field.focus();
  } else if (event.key === "ArrowDown" || (event.key === "ArrowUp" && place >= 0)) {
    event.preventDefault();
    const next = event.key === "ArrowDown" ? Math.min(place + 1, links().length - 1) : place - 1;
    (links()[next] ?? field).focus();
  }
});

let number = 0;
for (const code of document.querySelectorAll(".prose .scrolling > pre")) {
  number += 1;
  code.id = `code-${number}`;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button small copy";
  button.hidden = true;
  button.textContent = word("copy");
  button.dataset.copy = code.id;
  button.dataset.copied = word("copied");
  code.parentElement?.before(button);
  offerCopy(button);
}
