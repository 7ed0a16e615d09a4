/** Shows a kept model on the stage. The file may be anybody's since it may have been imported: a sentence, at the worst. */

import { byId, show } from "../page.js";
import { word } from "../words.js";

export class Showing {
  /** @param {string} viewer address of the viewer's script, which is loaded when there is something to show */
  constructor(viewer) {
    this.viewer = viewer;
  }

  /** @param {Blob | null} model null: the browser has cleared it */
  async open(model) {
    if (!model) return this.say("cleared");
    this.say("opening");
    const scene = byId("scene", HTMLElement);
    try {
      const { viewer, reset } = await import(this.viewer);
      const element = viewer(URL.createObjectURL(model), word("model"));
      const opened = new Promise((resolve, reject) => {
        element.addEventListener("load", resolve, { once: true });
        element.addEventListener("error", reject, { once: true });
      });
      scene.append(element);
      await opened.catch((error) => {
        element.remove();
        throw error;
      });
      element.addEventListener("error", () => {
        element.remove();
        this.say("lost-view");
      });
      byId("reset", HTMLElement).addEventListener("click", () => reset(element));
    } catch {
      return this.say("no-view");
    }
    byId("fullscreen", HTMLElement).addEventListener("click", () => {
      void (document.fullscreenElement ? document.exitFullscreen() : scene.requestFullscreen());
    });
    show(byId("scene-message", HTMLElement), false);
    for (const id of ["tools", "hints"]) show(byId(id, HTMLElement), true);
  }

  /** A sentence in the middle of the stage. @param {string} name */
  say(name) {
    const place = byId("scene-message", HTMLElement);
    place.textContent = word(name);
    show(place, true);
  }
}
