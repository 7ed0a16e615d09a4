/** The page's sentences, translated by the server into `<template id="words">`. */

/** @type {Map<string, string> | null} */
let known = null;

/** All sentences of this page. */
function all() {
  if (known === null) {
    const template = document.getElementById("words");
    const entries = template instanceof HTMLTemplateElement ? template.content.querySelectorAll("[data-word]") : [];
    known = new Map(
      Array.from(entries, (entry) => [entry.getAttribute("data-word") ?? "", entry.textContent ?? ""]),
    );
  }
  return known;
}

/**
 * The sentence of that name, its `{placeholders}` filled in.
 * @param {string} name
 * @param {Record<string, string | number>} [values]
 */
export function word(name, values = {}) {
  const sentence = all().get(name) ?? name;
  return sentence.replace(/\{(\w+)\}/g, (whole, key) => String(values[key] ?? whole));
}

/**
 * "1 credit", "3 credits".
 * @param {number} count
 */
export function credits(count) {
  return count === 1 ? word("one-credit") : word("credits", { n: count });
}
