/** Keeps the quote on the slip true to the choices made: price, time, how long the model waits. */

import { chosenOptions } from "./options.js";
import { byId } from "./page.js";
import { credits, word } from "./words.js";

/**
 * The chosen radio button of a group.
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function chosen(form, name) {
  return /** @type {HTMLInputElement | null} */ (form.querySelector(`input[name="${name}"]:checked`));
}

/**
 * The card whose figures count: the chosen provider, or where that is left to us the first one that honours the options.
 * @param {HTMLFormElement} form
 */
function card(form) {
  const provider = chosen(form, "provider");
  if (provider?.value) return provider;
  const wanted = chosenOptions().filter((name) => name !== "keep_all");
  /** @type {HTMLInputElement[]} */
  const cards = Array.from(form.querySelectorAll('input[name="provider"]:not([value=""])'));
  return cards.find((offer) => wanted.every((name) => offer.dataset.options?.split(" ").includes(name))) ?? cards[0];
}

/**
 * Rewrites the slip now and after each change.
 * @param {HTMLFormElement} form
 */
export function keepQuote(form) {
  const balance = Number(form.dataset.balance);
  const update = () => {
    const offer = card(form);
    const quality = chosen(form, "quality")?.value ?? "standard";
    const figure = (/** @type {string} */ kind, /** @type {string} */ level) =>
      Number(offer?.getAttribute(`data-${kind}-${level}`) ?? 0);
    for (const element of form.querySelectorAll("[data-price]")) {
      element.textContent = credits(figure("credits", element.getAttribute("data-price") ?? ""));
    }
    for (const element of form.querySelectorAll("[data-time]")) {
      element.textContent = word("about", { n: figure("seconds", element.getAttribute("data-time") ?? "") });
    }
    const price = figure("credits", quality);
    byId("quote-price", HTMLElement).textContent = credits(price);
    byId("quote-keep", HTMLElement).textContent = word("after", { keep: chosen(form, "keep")?.dataset.label ?? "" });
    byId("quote-balance", HTMLElement).textContent =
      price > balance
        ? word("short", { price: credits(price), n: credits(balance) })
        : word("of", { price, n: credits(balance), s: figure("seconds", quality) });
    const phone = byId("send-phone-price", HTMLElement);
    phone.textContent = credits(price);
  };
  form.addEventListener("change", update);
  update();
}
