/** What the browser lends this site, and whether it has said that it will not clear it by itself. */

import { size } from "../page.js";
import { word } from "../words.js";

/** Asks the browser not to clear what is kept here; it may ask the person. */
export async function askToStay() {
  await navigator.storage?.persist?.();
}

/** Bytes in use and lent, as far as the browser says; and a sentence on how long it keeps them. */
export async function lent() {
  const estimate = await navigator.storage?.estimate?.();
  const stays = (await navigator.storage?.persisted?.()) ?? false;
  return {
    usage: estimate?.usage ?? 0,
    quota: estimate?.quota ?? 0,
    stays: word(stays ? "stays" : "may-clear"),
  };
}

/** Bytes, gigabytes where there are many. @param {number} bytes */
export function large(bytes) {
  if (bytes < 1e9) return size(bytes);
  const format = { style: /** @type {const} */ ("unit"), unit: "gigabyte", maximumFractionDigits: bytes < 1e10 ? 1 : 0 };
  return new Intl.NumberFormat(document.documentElement.lang, format).format(bytes / 1e9);
}

/** "1 model", "3 models". @param {number} count */
export function models(count) {
  return count === 1 ? word("one-model") : word("models", { n: count });
}
