/** The options of a job: which are not as usual, how many the closed list hides, and what cannot be had together. */

import { announce, byId, show } from "./page.js";
import { word } from "./words.js";

const USUAL = ["", "invented", "glb"];

/** The fields whose value is not as usual. @returns {(HTMLInputElement | HTMLSelectElement)[]} */
function changed() {
  const list = byId("options", HTMLDetailsElement);
  /** @type {(HTMLInputElement | HTMLSelectElement)[]} */
  const fields = Array.from(list.querySelectorAll("input, select"));
  return fields.filter((field) => {
    if (field instanceof HTMLInputElement && field.type === "checkbox") return field.checked;
    if (field instanceof HTMLInputElement && field.type === "radio" && !field.checked) return false;
    return !USUAL.includes(field.value) || !field.validity.valid;
  });
}

/**
 * The names of the options that a provider has to honour, as the server calls them.
 * @returns {string[]}
 */
export function chosenOptions() {
  return changed().flatMap((field) => field.dataset.option ?? []);
}

/**
 * Says beside the list how many options it holds that were chosen, now and after each change.
 * @param {HTMLFormElement} form
 */
export function countOptions(form) {
  const tag = byId("options-chosen", HTMLElement);
  const update = () => {
    const count = changed().length;
    tag.textContent = word("options", { n: count });
    show(tag, count > 0);
  };
  form.addEventListener("change", update);
  update();
}

/**
 * Says a sentence beside a field, or takes it away; false when the page has no place for it.
 * @param {string} name
 * @param {string} sentence
 */
export function complainAt(name, sentence) {
  const place = document.getElementById(`${name}-error`);
  const text = place?.querySelector("span");
  if (!place || !text) return false;
  text.textContent = sentence;
  show(place, sentence !== "");
  const field = document.getElementById(`id_${name}`);
  if (sentence) field?.setAttribute("aria-invalid", "true");
  else field?.removeAttribute("aria-invalid");
  return true;
}

/** Opens whatever hides a field and goes there. @param {HTMLElement} field */
export function goTo(field) {
  for (let folded = field.closest("details"); folded; folded = folded.parentElement?.closest("details") ?? null) {
    folded.open = true;
  }
  field.focus();
}

/** The first field that cannot be as it is, and says so beside it; null when all can. @returns {HTMLElement | null} */
function firstUnsound() {
  const list = byId("options", HTMLDetailsElement);
  /** @type {HTMLElement | null} */
  let first = null;
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (list.querySelectorAll('input[type="number"]'))) {
    const sentence = document.getElementById(`${field.name}-error`)?.querySelector("span")?.dataset.sentence ?? "";
    const sound = field.validity.valid;
    complainAt(field.name, sound ? "" : sentence);
    if (!sound) first ??= field;
  }
  const bare = list.querySelector('input[name="untextured"]');
  if (bare instanceof HTMLInputElement) {
    const coloured = ["back", "flatten_light", "normal_map"].some((name) => chosenOptions().includes(name));
    complainAt("untextured", bare.checked && coloured ? word("colourless") : "");
    if (bare.checked && coloured) first ??= bare;
  }
  return first;
}

/** Whether the options can be had as they are; if not, says so beside the first that cannot and goes there. */
export function optionsAreSound() {
  const field = firstUnsound();
  if (field === null) return true;
  goTo(field);
  announce(document.getElementById(`${field.getAttribute("name")}-error`)?.textContent?.trim() ?? "");
  return false;
}
