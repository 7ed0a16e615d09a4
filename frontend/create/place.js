/** Figures that styles depend on, by a style sheet of the script’s own: the pages’ policy allows no style attributes. */

const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

/** Sets a custom property to a percentage. @param {"wipe"} name @param {number} percent */
export function place(name, percent) {
  sheet.replaceSync(`:root { --${name}: ${Math.min(100, Math.max(0, percent))}% }`);
}
