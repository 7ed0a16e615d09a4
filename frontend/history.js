/** The history page: the server's facts, joined here with what this device keeps; and the device's library itself. */

import { shelfOf } from "./library/account.js";
import { onChange } from "./library/database.js";
import { missing } from "./library/gone.js";
import { forgetSent } from "./library/incoming.js";
import { Panel } from "./library/panel.js";
import { drawRows } from "./library/rows.js";
import { byId, show } from "./page.js";

/** @typedef {import("./library/shelf.js").Shelf} Shelf */

const library = byId("library", HTMLElement);

/** Notes which kept models this page of the history should list and does not. @param {Shelf} shelf */
async function noteGone(shelf) {
  const table = document.getElementById("jobs");
  if (!table?.dataset.to) return;
  const jobs = new Set(Array.from(table.querySelectorAll("tr[data-job]"), (row) => row.getAttribute("data-job") ?? ""));
  const from = Date.parse(table.dataset.from ?? "1970-01-01");
  const all = await shelf.all();
  for (const { job } of missing(all, { jobs, from, to: Date.parse(table.dataset.to) })) {
    if (!all.find((kept) => kept.job === job)?.gone) await shelf.change(job, { gone: true });
  }
  for (const { job, gone } of all) if (gone && jobs.has(job)) await shelf.change(job, { gone: false });
}

/** @param {Shelf} shelf */
async function start(shelf) {
  const panel = new Panel(library, shelf, draw);

  /** Shows what is kept now, in the table and below it. */
  async function draw() {
    const all = await shelf.all();
    await drawRows(all, shelf, library.dataset.kept ?? "");
    await panel.draw(all);
  }
  try {
    await draw();
    onChange(() => {
      draw().catch(() => undefined); // the next look shows it
    });
    await shelf.tidy();
    await noteGone(shelf);
    const all = await shelf.all();
    await forgetSent((job) => all.some((kept) => kept.job === job), Date.now());
    await draw();
  } catch {
    show(byId("library-none", HTMLElement), true);
    show(byId("library-body", HTMLElement), false);
  }
}

const shelf = shelfOf(library);
if (shelf) void start(shelf);
