/** Sends what is on the page: the photos of one object as a job, or each photo of a list as one of its own. */

import { togetherTooLarge } from "../files.js";
import { announce, byId, pause } from "../page.js";
import { priceOf } from "../quote.js";
import { Unreachable, send } from "../sending.js";
import { credits, word } from "../words.js";
import * as batch from "./batch.js";
import * as incoming from "./incoming.js";
import { forget, leave } from "./leaving.js";
import { alone, pictures, shownBeside, together } from "./packing.js";
import { sendAll } from "./queue.js";
import { complain, complained, explanation, leaves } from "./refusals.js";
import * as sides from "./sides.js";
import { tellProgress } from "./stage.js";

const HAND_ON_MS = 1000;

/**
 * Whether there are credits enough; where the page says no, the server is asked once more, without a photo.
 * @param {HTMLFormElement} form
 * @param {boolean} each whether each photo becomes a model of its own
 */
export async function affordable(form, each) {
  const price = (priceOf(form) ?? 0) * Number(form.dataset.count);
  if (price <= Number(form.dataset.balance)) return true;
  try {
    const answer = await fetch(form.action, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.getElementById("create")?.dataset.balance;
    if (now !== undefined) form.dataset.balance = now;
  } catch {
    return true; // no connection: sending says so
  }
  form.dispatchEvent(new Event("change"));
  if (price <= Number(form.dataset.balance)) return true;
  await leave(form, "credits", word("fewer", { price: credits(price) }), each);
  return false;
}

/** Shows how far the photo has come. @param {number} part 0 to 1 */
function progress(part) {
  byId("sending-bar", HTMLProgressElement).value = Math.round(part * 100);
  byId("sending-percent", HTMLElement).textContent = `${Math.round(part * 100)} %`;
  byId("sending-label", HTMLElement).textContent = word(part >= 1 ? "checking" : "sending");
}

/**
 * Sends the photos of one object and goes to its job. Throws what `send` throws.
 * @param {HTMLFormElement} form
 * @param {number} limit in megabytes
 * @param {() => void} begun called once they are on their way
 */
export async function sendTogether(form, limit, begun) {
  for (const side of sides.taken()) await sides.at(side)?.ready();
  complain(togetherTooLarge(pictures(), limit));
  if (complained()) return;
  begun();
  const address = await send(form.action, together(form), progress);
  const photo = shownBeside();
  const handed = photo && incoming.handOn(idOf(address), photo).catch(() => undefined);
  await Promise.race([Promise.all([handed, forget()]), pause(HAND_ON_MS)]);
  window.location.assign(address);
  await new Promise(() => undefined); // until the page goes
}

/** The id at the end of a job's address. @param {string} address */
const idOf = (address) => address.split("/").at(-1) ?? "";

/** Sends each photo that waits as a job of its own. @param {HTMLFormElement} form @param {boolean} all keeps all that stands out */
export async function sendEach(form, all) {
  await sendAll(batch.entries, {
    make: async (entry, state) => {
      const { photo } = entry;
      photo.edits.all = all;
      if (!photo.picture && !photo.unreadable) await photo.renew(() => undefined, tellProgress);
      await photo.ready();
      state("sending");
      const address = await send(form.action, alone(form, photo, entry.key), () => undefined);
      await incoming.handOn(idOf(address), photo.plain?.blob ?? photo.file).catch(() => undefined);
      photo.release();
      return address;
    },
    explain: explanation,
    stops: (failure) => leaves(form, failure, true) || (failure instanceof Unreachable && !navigator.onLine),
    tell: (entry) => {
      batch.draw(entry);
      if (entry.job) void batch.look();
      if (entry.why && entry.state === "waiting") complain(entry.why);
    },
    pause,
  });
  if (batch.unsent().length === 0) {
    await forget();
    announce(word("batch-sent"));
  }
}
