/** The options of a job: which are not as usual, how many the closed list hides, and a print size that cannot be. */

import { announce, byId, show } from "./page.js";
import { word } from "./words.js";

/**
 * The names of the options that are not as usual, as the server calls them.
 * @returns {string[]}
 */
export function chosenOptions() {
  const inputs = byId("options", HTMLDetailsElement).querySelectorAll("input");
  const changed = Array.from(inputs).filter((input) => {
    if (input.type === "checkbox") return input.checked;
    if (input.type === "radio") return input.checked && input.value !== "invented";
    return input.value !== "" || !input.validity.valid;
  });
  return changed.map((input) => input.name);
}

/**
 * Says beside the list how many options it holds that were chosen, now and after each change.
 * @param {HTMLFormElement} form
 */
export function countOptions(form) {
  const tag = byId("options-chosen", HTMLElement);
  const update = () => {
    const count = chosenOptions().length;
    tag.textContent = word("options", { n: count });
    show(tag, count > 0);
  };
  form.addEventListener("change", update);
  update();
}

/** Whether the print size can be had; if not, says so beside it and goes there. */
export function printSizeIsSound() {
  const size = document.getElementById("id_print_size_mm");
  if (!(size instanceof HTMLInputElement)) return true;
  const sound = size.validity.valid;
  const error = byId("print-error", HTMLElement);
  show(error, !sound);
  if (sound) size.removeAttribute("aria-invalid");
  else {
    size.setAttribute("aria-invalid", "true");
    byId("options", HTMLDetailsElement).open = true;
    size.focus();
    announce(error.textContent?.trim() ?? "");
  }
  return sound;
}
