/** The library's own part of the history page: the switch, the space, the list, and what can be done with all of it. */

import { byId, icon, show, size } from "../page.js";
import { localise } from "../times.js";
import { word } from "../words.js";
import { choose, keeping } from "./choices.js";
import { NoStorage } from "./database.js";
import { forgetDevice, survey } from "./forgetting.js";
import { offer } from "../create/incoming.js";
import { bytesOf } from "./record.js";
import { nameOf, picture } from "./rows.js";
import { askToStay, large, lent, models } from "./space.js";
import { bringIn, saveAll } from "./zips.js";

/** @typedef {import("./record.js").Kept} Kept */
/** @typedef {import("./shelf.js").Shelf} Shelf */

/** @param {string} label @param {string} name @param {() => unknown} press @returns {HTMLButtonElement} */
function button(label, name, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "text-button small";
  made.textContent = label;
  made.setAttribute("aria-label", word("of", { action: label, name }));
  made.addEventListener("click", () => void press());
  return made;
}

/** @param {string} text @param {string} [classes] */
function tag(text, classes = "") {
  const made = document.createElement("span");
  made.className = `tag ${classes}`;
  made.textContent = text;
  return made;
}

export class Panel {
  /** What a person is about to confirm. @type {(() => Promise<string>) | null} */
  #asked = null;

  /** What is asked about came from there; the focus goes back to it. @type {Element | null} */
  #from = null;

  /** @param {HTMLElement} place @param {Shelf} shelf @param {() => Promise<void>} redraw shows the whole page anew */
  constructor(place, shelf, redraw) {
    this.place = place;
    this.shelf = shelf;
    this.redraw = redraw;
    byId("library-on", HTMLInputElement).addEventListener("change", () => void this.#run(() => this.#switch()));
    byId("library-no", HTMLElement).addEventListener("click", () => this.#close());
    byId("library-yes", HTMLElement).addEventListener("click", () => {
      const asked = this.#asked;
      this.#close();
      if (asked) void this.#run(asked);
    });
    byId("library-delete", HTMLElement).addEventListener("click", () => void this.#askAll());
    byId("library-forget", HTMLElement).addEventListener("click", () => void this.#askDevice());
    byId("library-export", HTMLElement).addEventListener("click", () => {
      void this.#run(() => saveAll(this.shelf, (sentence) => this.#say(sentence)));
    });
    const file = byId("library-file", HTMLInputElement);
    file.addEventListener("change", () => {
      const chosen = file.files?.[0];
      if (chosen) void this.#run(() => bringIn(this.shelf, chosen, (sentence) => this.#say(sentence)));
      file.value = "";
    });
  }

  /** @param {Kept[]} all */
  async draw(all) {
    const bytes = all.reduce((sum, kept) => sum + bytesOf(kept), 0);
    const chosen = await keeping(this.shelf.owner);
    byId("library-on", HTMLInputElement).checked = chosen === true;
    show(byId("library-quota", HTMLElement), all.length > 0 || chosen === true);
    const { usage, quota, stays } = await lent();
    const held = all.length ? word("held", { models: models(all.length), size: large(bytes) }) : word("held-none");
    byId("library-held", HTMLElement).textContent = held;
    byId("library-lent", HTMLElement).textContent = quota ? word("lent", { size: large(quota) }) : "";
    byId("library-bar", HTMLProgressElement).value = quota ? (100 * Math.max(usage, bytes)) / quota : 0;
    byId("library-stays", HTMLElement).textContent = stays;
    for (const id of ["library-list", "library-export", "library-delete"]) show(byId(id, HTMLElement), all.length > 0);
    const items = await Promise.all(all.map((kept) => this.#item(kept)));
    const list = byId("library-list", HTMLElement);
    const focused = document.activeElement?.getAttribute("data-focus");
    list.replaceChildren(...items);
    localise(list);
    if (focused) this.#focus(focused);
  }

  /** @param {string} name */
  #focus(name) {
    const found = Array.from(this.place.querySelectorAll("[data-focus]")).find((one) => one.getAttribute("data-focus") === name);
    if (found instanceof HTMLElement) found.focus();
  }

  /** One kept model. @param {Kept} kept */
  async #item(kept) {
    const name = nameOf(kept);
    const item = document.createElement("li");
    const here = await this.shelf.file(kept, "model");
    const thumb = document.createElement("span");
    thumb.className = here ? "thumbnail" : "thumbnail hatched";
    thumb.append((await picture(kept, this.shelf)) ?? (here ? icon("cube") : ""));
    const about = document.createElement("div");
    const title = document.createElement("a");
    title.href = `${this.place.dataset.kept}#${kept.job}`;
    title.textContent = name;
    const made = document.createElement("time");
    made.dateTime = kept.created;
    made.dataset.as = "dated";
    const facts = document.createElement("p");
    facts.className = "small quiet";
    facts.append(made, ` · ${size(bytesOf(kept))} `);
    if (kept.pinned) facts.append(tag(word("pinned"), "ok"), " ");
    if (!here) facts.append(tag(word("cleared"), "warn"), " ");
    if (kept.gone) facts.append(tag(word("gone")));
    about.append(title, facts);
    const actions = document.createElement("div");
    actions.className = "actions";
    const pin = button(word(kept.pinned ? "unpin" : "pin"), name, () =>
      this.#run(async () => {
        await this.shelf.change(kept.job, { pinned: !kept.pinned });
        return "";
      }),
    );
    pin.dataset.focus = `pin ${kept.job}`;
    actions.append(pin);
    if (kept.files.photo) actions.append(button(word("again"), name, () => this.#run(() => this.#again(kept))));
    actions.append(button(word("delete"), name, () => this.#askOne(kept)));
    item.append(thumb, about, actions);
    return item;
  }

  /** Hands the kept photo to the create page, on this device. @param {Kept} kept */
  async #again(kept) {
    const photo = await this.shelf.file(kept, "photo");
    if (!photo) return word("failed");
    const id = crypto.randomUUID();
    await offer([photo], id);
    window.location.assign(`${this.place.dataset.create}#from=library:${id}`);
    return "";
  }

  async #switch() {
    const on = byId("library-on", HTMLInputElement).checked;
    await choose(this.shelf.owner, on);
    if (on) await askToStay();
    return word(on ? "on" : "off");
  }

  /** @param {Kept} kept */
  #askOne(kept) {
    this.#ask(word("ask-one", { name: nameOf(kept) }), word("yes-delete"), async () => {
      await this.shelf.remove(kept.job);
      return word("deleted", { models: models(1) });
    });
  }

  async #askAll() {
    const all = await this.shelf.all();
    const bytes = all.reduce((sum, kept) => sum + bytesOf(kept), 0);
    this.#ask(word("ask-all", { models: models(all.length), size: large(bytes) }), word("yes-delete"), async () =>
      word("deleted", { models: models(await this.shelf.removeAll()) }),
    );
  }

  async #askDevice() {
    const found = await survey(this.shelf.owners);
    const what = { models: models(found.models), size: large(found.bytes) };
    const others = found.others === 1 ? word("ask-others-one") : word("ask-others", { models: models(found.others) });
    const question = found.others ? `${word("ask-device", what)} ${others}` : word("ask-device", what);
    this.#ask(question, word("yes-forget"), async () =>
      (await forgetDevice()) ? word("forgotten", what) : word("forgotten-partly"),
    );
  }

  /** Asks before something that cannot be undone. @param {string} question @param {string} yes @param {() => Promise<string>} then */
  #ask(question, yes, then) {
    this.#asked = then;
    this.#from = document.activeElement;
    byId("library-ask", HTMLElement).textContent = question;
    byId("library-yes", HTMLElement).textContent = yes;
    this.#say("");
    show(byId("library-confirm", HTMLElement), true);
    byId("library-ask", HTMLElement).focus();
  }

  #close() {
    this.#asked = null;
    show(byId("library-confirm", HTMLElement), false);
    if (this.#from instanceof HTMLElement) this.#from.focus();
  }

  /** @param {string} sentence */
  #say(sentence) {
    byId("library-said", HTMLElement).textContent = sentence;
  }

  /** Does something, says what came of it, and shows the page as it is then. @param {() => Promise<string>} work */
  async #run(work) {
    this.place.setAttribute("aria-busy", "true");
    let said = "";
    try {
      said = await work();
    } catch (error) {
      said = word(error instanceof NoStorage ? "no-storage" : "failed");
    }
    await this.redraw().catch(() => undefined);
    this.place.removeAttribute("aria-busy");
    this.#say(said);
    if (said && document.activeElement === document.body) byId("library-said", HTMLElement).focus();
  }
}
