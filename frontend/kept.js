/**
 * A kept model, from this device: shown, saved, named, pinned, deleted, made again. Its job stands in the fragment of the
 * address, which browsers do not send.
 */

import { offer } from "./create/incoming.js";
import { shelfOf } from "./library/account.js";
import { showDocket } from "./library/docket.js";
import { isJob, short } from "./library/record.js";
import { Showing } from "./library/showing.js";
import { save } from "./library/zips.js";
import { byId, show, size } from "./page.js";
import { localise } from "./times.js";
import { word } from "./words.js";

/** @typedef {import("./library/record.js").Kept} Kept */
/** @typedef {import("./library/shelf.js").Shelf} Shelf */

const page = byId("kept", HTMLElement);
const showing = new Showing(page.dataset.viewer ?? "");

/** Nothing is here, and why. @param {string} why */
function nothing(why) {
  show(page, false);
  show(byId("kept-none", HTMLElement), true);
  byId("kept-why", HTMLElement).textContent = word(why);
}

/** @param {string} label @param {Node | string} value */
function line(label, value) {
  const [row, term, said] = ["div", "dt", "dd"].map((name) => document.createElement(name));
  term.textContent = word(`fact-${label}`);
  said.append(value);
  row.append(term, said);
  return row;
}

/** @param {Date} at */
function time(at) {
  const made = document.createElement("time");
  made.dateTime = at.toISOString();
  made.dataset.as = "dated";
  return made;
}

/** @param {string} text */
function tag(text) {
  const made = document.createElement("span");
  made.className = "tag";
  made.textContent = text;
  return made;
}

/** What is said of it beside the model. @param {Kept} kept */
function describe(kept) {
  const name = kept.name || word("title", { number: short(kept.job) });
  byId("kept-name", HTMLElement).textContent = name;
  byId("kept-new-name", HTMLInputElement).value = kept.name;
  const facts = [line("job", short(kept.job)), line("made", time(new Date(kept.created))), line("kept", time(new Date(kept.kept)))];
  if (kept.facts.provider) facts.push(line("provider", kept.facts.provider));
  facts.push(line("size", size(kept.files.model.bytes)));
  if (kept.files.photo) facts.push(line("photo", size(kept.files.photo.bytes)));
  facts.push(line("digest", kept.files.model.sha256.slice(0, 16) + "…"));
  const list = byId("kept-facts", HTMLElement);
  list.replaceChildren(...facts);
  localise(list);
  const tags = [];
  const count = new Intl.NumberFormat(document.documentElement.lang).format(kept.facts.triangles);
  if (kept.facts.triangles) tags.push(tag(word("triangles", { n: count })));
  if (kept.pinned) tags.push(tag(word("pinned")));
  if (kept.gone) tags.push(tag(word("gone-job")));
  byId("kept-tags", HTMLElement).replaceChildren(...tags);
  byId("kept-pin", HTMLElement).textContent = word(kept.pinned ? "unpin" : "pin");
}

/** The page of one kept model. */
class KeptPage {
  /** @param {Shelf} shelf */
  constructor(shelf) {
    this.shelf = shelf;
    /** @type {Kept | null} */
    this.kept = null;
    const press = (/** @type {string} */ id, /** @type {(kept: Kept) => Promise<string>} */ work) => {
      byId(id, HTMLElement).addEventListener(id === "kept-rename" ? "submit" : "click", (event) => {
        event.preventDefault();
        if (this.kept) void this.run(work, this.kept);
      });
    };
    press("kept-save", (kept) => this.save(kept, "model"));
    press("kept-save-photo", (kept) => this.save(kept, "photo"));
    press("kept-again", (kept) => this.again(kept));
    press("kept-pin", async (kept) => {
      await shelf.change(kept.job, { pinned: !kept.pinned });
      return word(kept.pinned ? "unpin-said" : "pin-said");
    });
    press("kept-rename", async (kept) => {
      await shelf.change(kept.job, { name: byId("kept-new-name", HTMLInputElement).value });
      return word("renamed");
    });
    press("kept-yes", async (kept) => {
      await shelf.remove(kept.job);
      window.location.assign(page.dataset.history ?? "/");
      return "";
    });
    byId("kept-delete", HTMLElement).addEventListener("click", () => {
      show(byId("kept-confirm", HTMLElement), true);
      byId("kept-ask", HTMLElement).focus();
    });
    byId("kept-no", HTMLElement).addEventListener("click", () => {
      show(byId("kept-confirm", HTMLElement), false);
      byId("kept-delete", HTMLElement).focus();
    });
  }

  /** Does something and says what came of it. @param {(kept: Kept) => Promise<string>} work @param {Kept} kept */
  async run(work, kept) {
    let said = word("failed");
    try {
      said = await work(kept);
      this.kept = await this.shelf.get(kept.job);
      if (this.kept) describe(this.kept);
    } catch {
      // said already: nothing was changed
    }
    byId("kept-said", HTMLElement).textContent = said;
  }

  /** @param {Kept} kept @param {"model" | "photo"} role */
  async save(kept, role) {
    const file = await this.shelf.file(kept, role);
    if (!file) return word("cleared");
    save(file, role === "model" ? "model.glb" : `photo.${file.type.replace("image/", "").replace("jpeg", "jpg")}`);
    return "";
  }

  /** Hands the photo to the create page, on this device. @param {Kept} kept */
  async again(kept) {
    const photo = await this.shelf.file(kept, "photo");
    if (!photo) return word("cleared");
    const id = crypto.randomUUID();
    await offer([photo], id);
    window.location.assign(`${page.dataset.create}#from=library:${id}`);
    return "";
  }

  /** Shows what the address names. */
  async open() {
    const job = window.location.hash.slice(1);
    try {
      this.kept = isJob(job) ? await this.shelf.get(job) : null;
    } catch {
      return nothing("no-storage");
    }
    const { kept } = this;
    if (!kept) return nothing("not-kept");
    show(byId("kept-none", HTMLElement), false);
    show(page, true);
    describe(kept);
    void showDocket(kept, this.shelf, page);
    const photo = await this.shelf.file(kept, "photo");
    for (const id of ["kept-again", "kept-save-photo", "kept-photo"]) show(byId(id, HTMLElement), Boolean(photo));
    if (photo) this.picture(photo);
    const model = await this.shelf.file(kept, "model");
    byId("kept-save", HTMLButtonElement).disabled = !model;
    await showing.open(model, kept.job);
  }

  /** @param {Blob} photo */
  picture(photo) {
    const figure = byId("kept-photo", HTMLElement);
    const image = figure.querySelector("img");
    if (!image) return;
    image.onerror = () => show(figure, false);
    image.src = URL.createObjectURL(photo);
  }
}

const shelf = shelfOf(page);
if (shelf) {
  const open = new KeptPage(shelf);
  void open.open();
  window.addEventListener("hashchange", () => window.location.reload());
}
