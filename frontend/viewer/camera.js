/** Where one looks from, in words and by keys: without a pointer, and without seeing. */

/** @typedef {{turn: number, tilt: number, zoom: number}} View turn and tilt in radians (0, 0: level, from the front), zoom 1: whole */
/** @typedef {(name: string, values?: Record<string, string | number>) => string} Word */

const SIDES = ["front", "front-right", "right", "back-right", "back", "back-left", "left", "front-left"];
const LEVEL_DEGREES = 3;
const POLE_DEGREES = 80;

/**
 * The page's sentence for a view: the side it is seen from, how far above or below, how near.
 * @param {View} view
 * @param {Word} word
 */
export function described({ turn, tilt, zoom }, word) {
  const eighth = Math.round(turn / (Math.PI / 4));
  const degrees = Math.round((tilt * 180) / Math.PI);
  const zoomed = Math.round(zoom * 100);
  if (Math.abs(degrees) >= POLE_DEGREES) return word("seen-pole", { where: word(degrees > 0 ? "pole-top" : "pole-bottom"), zoom: zoomed });
  const height =
    Math.abs(degrees) < LEVEL_DEGREES ? word("height-level") : word(degrees > 0 ? "height-above" : "height-below", { n: Math.abs(degrees) });
  return word("seen", { side: word(`side-${SIDES[((eighth % 8) + 8) % 8]}`), height, zoom: zoomed });
}

/** @type {Record<string, string>} */
const KEYS = {
  ArrowLeft: "turn-left",
  ArrowRight: "turn-right",
  ArrowUp: "tilt-up",
  ArrowDown: "tilt-down",
  "+": "nearer",
  "=": "nearer",
  "-": "farther",
  "−": "farther",
  "0": "front",
  Home: "front",
  r: "turning",
  m: "measures",
  p: "photo",
  f: "full",
  "?": "help",
};
const SHIFTED = new Map([
  ["ArrowLeft", "move-left"],
  ["ArrowRight", "move-right"],
  ["ArrowUp", "move-up"],
  ["ArrowDown", "move-down"],
]);

/**
 * The command that a key gives, `look-1` … `look-5` among them, or "". Keys of the browser and the system stay theirs.
 * @param {Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "altKey" | "metaKey">} event
 */
export function command({ key, shiftKey, ctrlKey, altKey, metaKey }) {
  if (ctrlKey || altKey || metaKey) return "";
  if (shiftKey && SHIFTED.has(key)) return SHIFTED.get(key) ?? "";
  if (/^[1-5]$/.test(key)) return `look-${key}`;
  const name = key.length === 1 ? key.toLowerCase() : key;
  return Object.hasOwn(KEYS, name) ? KEYS[name] : "";
}
