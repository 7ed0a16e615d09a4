/** A job's page while the job is not over: follows it live, and keeps the page's parts true to it. */

import "./library/keep.js";
import { Delivery } from "./delivery.js";
import { offerFormats } from "./formats.js";
import { follow } from "./live.js";
import { Teller, showTitle } from "./notify.js";
import { announce, byId, pause, show } from "./page.js";
import { checkReceipt } from "./receipted.js";
import { countSeconds, serverNow, showConnection, showRunning } from "./running.js";
import { drawSeals } from "./seal.js";
import { phase } from "./snapshot.js";
import { localise } from "./times.js";
import { word } from "./words.js";

/** @typedef {import("./snapshot.js").Snapshot} Snapshot */

const job = byId("job", HTMLElement);
const first = /** @type {Snapshot} */ (JSON.parse(byId("snapshot", HTMLElement).textContent ?? "{}"));

let shown = phase(first);
/** Why the job waits, as far as the page says it. */
let waits = first.waiting?.code ?? "";
/** The job as it was when we last heard of it, and whether the line is there. */
let latest = first;
let online = true;
/** Who had the photo, as far as the page says it. */
let had = JSON.stringify(first.attempts);
/** @type {Delivery | null} */
let delivery = null;
/** One change of the page at a time, in order. @type {Promise<void>} */
let turn = Promise.resolve();

/** This page as the server draws it now; asked again until there is an answer. */
async function freshPage() {
  for (;;) {
    try {
      const response = await fetch(window.location.href, { headers: { Accept: "text/html" } });
      if (response.redirected) window.location.reload(); // signed out meanwhile
      else if (response.ok) return new DOMParser().parseFromString(await response.text(), "text/html");
    } catch {
      // no connection: ask again below
    }
    await pause(1500);
  }
}

/**
 * Takes parts of the page from the server's fresh drawing of it.
 * @param {Document} page @param {string[]} ids
 */
function adopt(page, ids) {
  for (const id of ids) {
    const mine = document.getElementById(id);
    const theirs = page.getElementById(id);
    if (!mine || !theirs) continue;
    mine.replaceChildren(...Array.from(theirs.childNodes, (node) => document.importNode(node, true)));
    localise(mine);
    drawSeals(mine);
  }
}

/** The receipt comes out of its slot, is stamped, and the claim may be made. */
async function printReceipt() {
  const page = await freshPage();
  const slip = byId("slip", HTMLElement);
  slip.classList.add("printing");
  adopt(page, ["slip"]);
  if (!slip.querySelector(".slip.receipt")) return;
  document.dispatchEvent(new CustomEvent("mmi:over"));
  const headline = slip.querySelector(".stamp.partly") ? word("partly") : word("yours");
  const claim = () => {
    const failed = byId("checked", HTMLElement).dataset.state === "failed";
    if (failed) delivery?.claim(word("unproven"), word("unproven-why"));
    else delivery?.claim(headline, word(delivery.kept ? "keep-here" : "tab-only"));
  };
  claim();
  for (const name of ["mmi:kept", "mmi:unkept"]) document.addEventListener(name, claim);
  document.addEventListener("mmi:checked", (event) => {
    if (/** @type {CustomEvent} */ (event).detail.state === "failed") claim();
  });
  void checkReceipt();
}

/** The page of another phase. @param {Snapshot} snapshot */
async function change(snapshot) {
  const next = phase(snapshot);
  if (delivery?.complete) {
    if (snapshot.final && shown !== next) await printReceipt();
    else if (shown !== next) adopt(await freshPage(), ["slip"]);
  } else if (snapshot.final) {
    window.location.reload();
  } else {
    adopt(await freshPage(), ["claim", "stage", "slip"]);
    const claim = byId("claim", HTMLElement);
    announce((snapshot.waiting ? claim.textContent : claim.querySelector("h1")?.textContent)?.trim() ?? "");
  }
  shown = next;
  waits = snapshot.waiting?.code ?? "";
}

/** Another provider has the photo, or has answered: the page says so. @param {Snapshot} snapshot */
async function follows(snapshot) {
  had = JSON.stringify(snapshot.attempts);
  adopt(await freshPage(), ["holder", "attempts", "slip-note"]);
  const last = snapshot.attempts.at(-1);
  if (last && last.number > 1 && ["submitting", "running"].includes(last.state)) {
    announce(word("now-at", { provider: last.provider }));
  }
}

/** @param {Snapshot} snapshot */
async function update(snapshot) {
  latest = snapshot;
  teller.look(snapshot, serverNow());
  if (phase(snapshot) !== shown || (snapshot.waiting?.code ?? "") !== waits) await change(snapshot);
  if (!snapshot.final && !delivery?.complete && JSON.stringify(snapshot.attempts) !== had) await follows(snapshot);
  if (!snapshot.final) showRunning(snapshot);
  if (shown === "ready" && !delivery) {
    show(byId("save-area", HTMLElement), true);
    delivery = new Delivery(job, snapshot);
    void delivery.start();
  }
  showTitle(latest, online);
}

job.addEventListener("submit", (event) => {
  if (event.target instanceof HTMLFormElement && event.target.id === "cancel") {
    if (delivery) delivery.leaving = true;
    const button = event.target.querySelector("button");
    if (button) button.textContent = word("cancelling");
  }
});

offerFormats();
const teller = new Teller();
new MutationObserver(() => showTitle(latest, online)).observe(byId("claim", HTMLElement), { childList: true });
countSeconds();
showRunning(first);
teller.look(first, serverNow());
follow(
  { events: job.dataset.events ?? "", state: job.dataset.state ?? "" },
  (snapshot) => {
    turn = turn.then(() => update(snapshot));
  },
  (found) => {
    online = found;
    showConnection(online);
    showTitle(latest, online);
  },
);
setInterval(() => teller.look(latest, serverNow()), 5000);
