/** How long the sides of a model are, in the units and the language of whoever looks. */

/** @typedef {{width: string, height: string, depth: string}} Measures */

const MM = 1000;

/**
 * One length. A piece for a printer is measured in millimetres, to a tenth below ten; anything else in metres, as
 * glTF does, with three figures.
 * @param {number} metres
 * @param {boolean} printed
 * @param {string} language
 */
export function length(metres, printed, language) {
  const value = printed ? metres * MM : metres;
  const digits = printed ? { maximumFractionDigits: value < 10 ? 1 : 0 } : { minimumSignificantDigits: 3, maximumSignificantDigits: 3 };
  const unit = printed ? "millimeter" : "meter";
  return new Intl.NumberFormat(language, { style: "unit", unit, ...digits }).format(value);
}

/**
 * Width (x), height (y) and depth (z) as people read them.
 * @param {{x: number, y: number, z: number}} size in metres
 * @param {boolean} printed
 * @param {string} language
 * @returns {Measures}
 */
export function measures({ x, y, z }, printed, language) {
  return { width: length(x, printed, language), height: length(y, printed, language), depth: length(z, printed, language) };
}
