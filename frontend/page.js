/** Small helpers that several page scripts share: finding elements, announcing, formatting sizes. */

/**
 * The element with that id. Raises an error that names it where the page lacks it.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`The page has no ${kind.name} #${id}.`);
}

/**
 * Shows or hides an element by its `hidden` attribute.
 * @param {Element} element
 * @param {boolean} shown
 */
export function show(element, shown) {
  element.toggleAttribute("hidden", !shown);
}

/**
 * Tells a screen reader, politely.
 * @param {string} sentence
 */
export function announce(sentence) {
  byId("announce", HTMLElement).textContent = sentence;
}

/**
 * Bytes as people say them, in the page's language: "71 kB", "2.1 MB".
 * @param {number} bytes
 */
export function size(bytes) {
  const large = bytes >= 1_000_000;
  const format = new Intl.NumberFormat(document.documentElement.lang, {
    style: "unit",
    unit: large ? "megabyte" : "kilobyte",
    maximumFractionDigits: large ? 1 : 0,
  });
  return format.format(large ? bytes / 1e6 : Math.max(1, bytes / 1e3));
}

/**
 * An icon of our sprite.
 * @param {string} name
 */
export function icon(name) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.body.dataset.icons ?? ""}#${name}`);
  drawing.append(use);
  return drawing;
}

/** Waits; resolves after so many milliseconds. @param {number} milliseconds */
export function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
