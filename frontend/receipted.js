/** Has a receipt that stands on the page checked in this browser, by a script that is loaded only then. */

import { word } from "./words.js";

/**
 * Starts the check where the page has a receipt, and again whenever its button is pressed; what it found is said by the
 * script, or here where that does not come. The document hears `mmi:checked` with `{ state }`.
 */
export async function checkReceipt() {
  const place = document.getElementById("checked");
  const button = place?.querySelector("button");
  if (!place || !button) return;
  try {
    const { check } = await import(place.dataset.script ?? "");
    await check(place);
  } catch {
    place.dataset.state = "unasked";
    const [result, meaning] = place.querySelectorAll("p");
    result.textContent = word("checked-unasked");
    meaning.textContent = word("checked-unasked-means");
    for (const more of [meaning, button]) more.hidden = false;
  }
  button.onclick = () => void checkReceipt();
}
