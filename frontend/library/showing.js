/** Shows a kept model on the stage. The file may be anybody's since it may have been imported: a sentence, at the worst. */

import { byId, show } from "../page.js";
import { word } from "../words.js";

export class Showing {
  /** @param {string} address of the viewer's script, which is loaded when there is something to show */
  constructor(address) {
    this.address = address;
  }

  /** @param {Blob | null} model null: the browser has cleared it @param {string} job whose it is */
  async open(model, job) {
    if (!model) return this.say("cleared");
    this.say("opening");
    const scene = byId("scene", HTMLElement);
    try {
      const { viewer, panel } = /** @type {typeof import("../viewer.js")} */ (await import(this.address));
      const handle = viewer(model, word("model"));
      scene.prepend(handle.element);
      const facts = await handle.ready;
      handle.element.addEventListener("viewer:lost", () => this.say("lost-view"));
      handle.element.addEventListener("viewer:back", () => show(byId("scene-message", HTMLElement), false));
      panel(handle, scene, facts, job);
    } catch {
      return this.say("no-view");
    }
    show(byId("scene-message", HTMLElement), false);
    for (const tools of scene.querySelectorAll("[data-tools]")) show(tools, true);
    show(byId("hints", HTMLElement), true);
  }

  /** A sentence in the middle of the stage. @param {string} name */
  say(name) {
    const place = byId("scene-message", HTMLElement);
    place.textContent = word(name);
    show(place, true);
  }
}
