/** Other formats, once the file is in this tab: what makes them is loaded when the panel is first opened. */

import { announce, byId } from "./page.js";
import { word } from "./words.js";

/** Waits for the file and for a person who opens the panel. */
export function offerFormats() {
  const area = byId("formats", HTMLDetailsElement);
  /** @type {Blob | null} */
  let file = null;
  let loading = false;

  /** Loads the panel, once; after a failure the next opening tries again. */
  async function load() {
    if (!file || !area.open || loading) return;
    loading = true;
    try {
      if (typeof OffscreenCanvas === "undefined") throw new TypeError("old");
      const { Panel } = await import(area.dataset.script ?? "");
      new Panel(area, file);
    } catch {
      loading = false;
      const why = typeof OffscreenCanvas === "undefined" ? "old" : "offline";
      byId("formats-note", HTMLElement).textContent = word(`refused-${why}`);
      announce(word(`refused-${why}`));
    }
  }

  area.addEventListener("toggle", () => void load());
  document.addEventListener("mmi:model", (event) => {
    file = /** @type {CustomEvent<{ blob: Blob }>} */ (event).detail.blob;
    void load();
  });
}
