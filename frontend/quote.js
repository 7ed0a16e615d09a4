/** Keeps the slip true to the choices made: prices, times, who gets the photo, and who does not take the choices. */

import { best, chosen, objections, offers, wishes } from "./offers.js";
import { announce, byId, show } from "./page.js";
import { credits, word } from "./words.js";

const LONGEST_IN_SECONDS = 90;

/**
 * How long a job takes, roughly: as measured lately, or else as the provider says; empty where nobody says.
 * @param {HTMLInputElement | undefined} offer
 * @param {string} quality
 */
function time(offer, quality) {
  const seconds = figure(offer, "seconds", quality) ?? 0;
  const [least, most] = (offer?.getAttribute(`data-usually-${quality}`) ?? "").split(" ").map(Number);
  if (most > LONGEST_IN_SECONDS) {
    const [from, to] = [Math.max(1, Math.round(least / 60)), Math.round(most / 60)];
    return from === to ? word("about-minutes", { n: to }) : word("usually-minutes", { from, to });
  }
  if (most) return least === most ? word("about", { n: most }) : word("usually", { from: least, to: most });
  if (!seconds) return "";
  if (seconds <= LONGEST_IN_SECONDS) return word("about", { n: Math.round(seconds) });
  return word("about-minutes", { n: Math.round(seconds / 60) });
}

/**
 * The figure of an offer for a quality, or null where the offer does not make it.
 * @param {HTMLInputElement | undefined} offer
 * @param {"credits" | "seconds"} kind
 * @param {string} quality
 */
function figure(offer, kind, quality) {
  const said = offer?.getAttribute(`data-${kind}-${quality}`) ?? null;
  return said === null ? null : Number(said);
}

/** The quality that is chosen. @param {HTMLFormElement} form */
const qualityOf = (form) => chosen(form, "quality")?.value ?? "standard";

/**
 * What a model costs as it is chosen now; null where nobody would make it.
 * @param {HTMLFormElement} form
 */
export function priceOf(form) {
  return figure(offerOf(form), "credits", qualityOf(form));
}

/** The offer that is chosen, or the best. @param {HTMLFormElement} form */
function offerOf(form) {
  const provider = chosen(form, "provider");
  return (provider?.value ? provider : best(form, qualityOf(form), wishes(form))) ?? undefined;
}

/**
 * Why nobody would take the job as it is chosen now, as a sentence; empty when somebody would.
 * @param {HTMLFormElement} form
 */
export function problem(form) {
  const quality = qualityOf(form);
  const wished = wishes(form);
  const provider = chosen(form, "provider");
  if (!provider?.value) return best(form, quality, wished) ? "" : word("nobody-takes");
  const why = objections(provider, quality, wished);
  return why.length ? word("chosen-out", { label: provider.dataset.label ?? "", why: why.join("; ") }) : "";
}

/** Says at each offer why it does not take the choices. @param {HTMLFormElement} form */
function markOffers(form) {
  const quality = qualityOf(form);
  const wished = wishes(form);
  for (const offer of offers(form)) {
    const why = objections(offer, quality, wished);
    const row = offer.closest(".offer");
    const note = row?.querySelector("[data-out]");
    const text = note?.querySelector("span");
    if (!row || !note || !text) continue;
    row.classList.toggle("out", why.length > 0);
    text.textContent = why.join("; ");
    show(note, why.length > 0);
  }
}

/** Rewrites the prices of the qualities. @param {HTMLFormElement} form */
function priceQualities(form) {
  const provider = chosen(form, "provider");
  const wished = wishes(form);
  const offer = (/** @type {string} */ quality) => (provider?.value ? provider : best(form, quality, wished));
  for (const element of form.querySelectorAll("[data-price]")) {
    const quality = element.getAttribute("data-price") ?? "";
    const price = figure(offer(quality) ?? undefined, "credits", quality);
    element.textContent = price === null ? word("not-offered") : credits(price);
  }
  for (const element of form.querySelectorAll("[data-time]")) {
    const quality = element.getAttribute("data-time") ?? "";
    element.textContent = time(offer(quality) ?? undefined, quality);
  }
}

/**
 * Rewrites the slip now and after each change.
 * @param {HTMLFormElement} form
 */
export function keepQuote(form) {
  if (offers(form).length === 0) return; // the page says why
  let said = "";
  const update = () => {
    const balance = Number(form.dataset.balance);
    const count = Number(form.dataset.count ?? 1); // models, each at that price
    const quality = qualityOf(form);
    const provider = chosen(form, "provider");
    const offer = offerOf(form);
    const one = priceOf(form);
    const price = one === null ? null : one * count;
    const wrong = problem(form);
    markOffers(form);
    priceQualities(form);
    const label = offer?.dataset.label ?? "";
    byId("quote-who", HTMLElement).textContent = !label ? "—" : provider?.value ? label : word("first", { label });
    byId("quote-where", HTMLElement).textContent = offer?.dataset.where ?? "—";
    byId("quote-price", HTMLElement).textContent = one === null ? "—" : credits(one);
    show(byId("quote-total-line", HTMLElement), count > 1);
    byId("quote-total", HTMLElement).textContent = price === null ? "—" : credits(price);
    byId("quote-keep", HTMLElement).textContent = word("after", { keep: chosen(form, "keep")?.dataset.label ?? "" });
    byId("send-phone-price", HTMLElement).textContent = price === null ? "—" : credits(price);
    const means = byId("quote-balance", HTMLElement);
    const takes = time(offer, quality);
    if (price !== null && price > balance) means.textContent = word("short", { price: credits(price), n: credits(balance) });
    else if (price !== null) means.textContent = [word("of", { price, n: credits(balance) }), takes].filter(Boolean).join(" · ");
    show(means, price !== null);
    const buy = document.getElementById("quote-buy"); // where credits are for sale
    if (buy) show(buy, price !== null && price > balance);
    const note = byId("quote-error", HTMLElement);
    const text = note.querySelector("span");
    if (text) text.textContent = wrong;
    show(note, wrong !== "");
    if (wrong && wrong !== said) announce(wrong);
    said = wrong;
  };
  form.addEventListener("change", update);
  update();
}
