/**
 * Takes a model that has come to the job's page into the library: by itself where the person has said so, else asked once
 * the model is saved. The receipt follows when the job is over.
 */

import { byId, pause, show } from "../page.js";
import { word } from "../words.js";
import { shelfOf } from "./account.js";
import { choose, keeping } from "./choices.js";
import { forgetSent, sentPhoto } from "./incoming.js";
import { fetchReceipt, proves } from "./receipt.js";
import { NoSpace } from "./shelf.js";
import { askToStay, models } from "./space.js";
import { ofPhoto, ofViewer } from "./thumbnail.js";

/** @typedef {import("../snapshot.js").Snapshot} Snapshot */
/** @typedef {import("./shelf.js").Shelf} Shelf */

/** When the receipt is asked for, in seconds from one to the next: it is in a head of the log after some minutes. */
const ASKING = [0, 5, 25, 60, 120, 240, 480];

const area = document.getElementById("keep");
const shelf = area && shelfOf(area);

/** @param {string} sentence @param {(Node | string)[]} more */
function say(sentence, ...more) {
  if (!area) return;
  const pressed = area.contains(document.activeElement); // on what goes now
  const said = byId("keep-said", HTMLElement);
  show(area, true);
  show(byId("keep-ask", HTMLElement), false);
  said.replaceChildren(sentence, ...more);
  if (pressed) said.focus({ preventScroll: true });
}

/** A link to the kept model's page. @param {string} job */
function link(job) {
  const made = document.createElement("a");
  made.href = `${area?.dataset.kept ?? ""}#${job}`;
  made.textContent = word("keep-open");
  return made;
}

/** A button that takes back what was done by itself. @param {Shelf} from @param {string} job */
function undo(from, job) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "text-button";
  made.textContent = word("keep-not-this");
  made.addEventListener("click", async () => {
    await from.remove(job);
    document.dispatchEvent(new CustomEvent("mmi:unkept"));
    say(word("keep-removed"));
  });
  return made;
}

/** One model on its way into the library. */
class Keeping {
  /** @param {Shelf} into @param {{ blob: Blob, job: string, snapshot: Snapshot }} detail */
  constructor(into, { blob, job, snapshot }) {
    this.shelf = into;
    this.blob = blob;
    this.job = job;
    this.snapshot = snapshot;
    this.kept = false;
    /** It is kept without a thumbnail. */
    this.bare = false;
    /** @type {import("../viewer.js").Viewer | null} */
    this.viewer = null;
  }

  /** Keeps it and says so; `byItself`: nobody has pressed anything. @param {boolean} byItself */
  async keep(byItself) {
    const { job, snapshot } = this;
    const photo = (await sentPhoto(job)) ?? undefined;
    const thumb = (photo && (await ofPhoto(photo))) ?? undefined;
    const facts = {
      provider: snapshot.provider ?? "",
      quality: snapshot.quality ?? "",
      triangles: snapshot.asset?.triangles ?? 0,
    };
    try {
      const about = { job, created: snapshot.created_at, facts };
      const { removed } = await this.shelf.keep(about, { model: this.blob, photo, thumb }, { makeRoom: true });
      const went = removed.length ? ` ${word("keep-went", { models: models(removed.length) })}` : "";
      say(word("keep-done") + went, " ", link(job), ...(byItself ? [" ", undo(this.shelf, job)] : []));
    } catch (error) {
      say(word(error instanceof NoSpace ? "keep-no-space" : "keep-no-storage"));
      return;
    }
    this.kept = true;
    document.dispatchEvent(new CustomEvent("mmi:kept"));
    if (!thumb) {
      this.bare = true;
      void this.picture();
    }
    await this.receipt();
  }

  /** A thumbnail of the model itself, where there is none of a photo; once the viewer shows it. */
  async picture() {
    if (!this.bare || !this.viewer) return;
    const thumb = await ofViewer(this.viewer);
    if (thumb) await this.shelf.add(this.job, "thumb", thumb);
  }

  /** The receipt, if the job is over. */
  async receipt() {
    if (!this.kept || !this.over) return;
    for (const seconds of ASKING) {
      await pause(seconds * 1000);
      try {
        if (await proves(await fetchReceipt(this.shelf, this.job, area?.dataset.receipt ?? ""))) return;
      } catch {
        // no connection: asked again, and the page of the kept model offers to fetch it
      }
    }
  }

  /** Whether the job is over. */
  over = false;
}

/** Listens to the job's page. @param {Shelf} into */
function listen(into) {
  /** @type {Keeping | null} */
  let one = null;
  /** @type {boolean | null} */
  let chosen = null;

  document.addEventListener("mmi:model", async (event) => {
    one = new Keeping(into, /** @type {CustomEvent} */ (event).detail);
    try {
      chosen = await keeping(into.owner);
    } catch {
      chosen = false; // a browser without storage is not asked to keep anything
    }
    if (chosen) await one.keep(true);
  });
  document.addEventListener("mmi:shown", (event) => {
    if (!one) return;
    one.viewer = /** @type {CustomEvent} */ (event).detail.viewer;
    void one.picture();
  });
  document.addEventListener("mmi:saved", () => {
    if (!area || !one || one.kept || chosen !== null) return;
    show(area, true);
    show(byId("keep-ask", HTMLElement), true);
  });
  document.addEventListener("mmi:over", () => {
    if (!one) return;
    one.over = true;
    void one.receipt();
  });

  byId("keep-yes", HTMLButtonElement).addEventListener("click", async () => {
    chosen = true;
    await choose(into.owner, true).catch(() => undefined);
    await one?.keep(false);
    void askToStay();
  });
  byId("keep-no", HTMLButtonElement).addEventListener("click", async () => {
    chosen = false;
    await choose(into.owner, false).catch(() => undefined);
    say(word("keep-not"));
  });

  void into
    .all()
    .then((all) => forgetSent((job) => all.some((kept) => kept.job === job), Date.now()))
    .catch(() => undefined);
}

if (shelf) listen(shelf);
