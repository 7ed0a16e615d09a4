/** Several files at once: one object from several sides, or a model of each? The page asks, and does nothing before. */

import { announce, byId, show } from "../page.js";
import { word } from "../words.js";

/** @typedef {"together" | "each" | "neither" | "again"} Answer `again`: it is asked anew, of more files */

/** @type {(answer: Answer) => void} */
let decide = () => undefined;
/** @type {string[]} */
let addresses = [];

/**
 * Asks what the files are. A question that stands is withdrawn: ask of those files again.
 * @param {File[]} files
 * @param {number} places sides that one object can be shown from here
 * @returns {Promise<Answer>}
 */
export function ask(files, places) {
  decide("again");
  const panel = byId("several", HTMLElement);
  byId("several-title", HTMLElement).textContent = word("several", { n: files.length });
  const fits = files.length <= places;
  byId("several-together", HTMLButtonElement).disabled = !fits;
  byId("several-why", HTMLElement).textContent = fits
    ? word("several-order")
    : word(places > 1 ? "several-most" : "several-one", { n: places });
  addresses = files.slice(0, 6).map((file) => URL.createObjectURL(file));
  byId("several-pictures", HTMLElement).replaceChildren(
    ...addresses.map((address) => {
      const image = new Image();
      image.alt = "";
      image.src = address;
      image.addEventListener("error", () => image.remove()); // a kind that this browser cannot show
      return image;
    }),
  );
  show(panel, true);
  byId("several-title", HTMLElement).focus();
  announce(word("several", { n: files.length }));
  return new Promise((resolve) => {
    decide = (answer) => {
      decide = () => undefined;
      show(panel, false);
      for (const address of addresses) URL.revokeObjectURL(address);
      resolve(answer);
    };
  });
}

/** Listens to the answers. */
export function keepSeveral() {
  for (const answer of /** @type {const} */ (["together", "each", "neither"])) {
    byId(`several-${answer}`, HTMLElement).addEventListener("click", () => decide(answer));
  }
}
