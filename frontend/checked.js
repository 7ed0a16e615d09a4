/**
 * Checks a job's receipt where it is printed: its file is fetched as anybody would save it, is to be the one on the paper
 * and of this job, and is to hold against the keys and the log that the site publishes. The log takes some minutes to have
 * it: the file is fetched and checked again until it is there.
 */

import { checked } from "./checking.js";
import { icon, pause } from "./page.js";
import { canVerify } from "./proof.js";
import { word } from "./words.js";

/** @typedef {"now" | "ok" | "logged" | "failed" | "unable" | "unasked"} State */
/** @typedef {{ state: State, why?: string, values?: Record<string, string | number> }} Found */

/** Seconds from one look at the log to the next. */
const ASKING = [5, 25, 60, 120, 240, 480];
const ICONS = { now: "info", ok: "check", logged: "check", failed: "cross", unable: "info", unasked: "warn" };

/**
 * What the checks come to for a receipt that is printed here.
 * @param {Pick<import("./proof.js").Judged, "receipt" | "digest" | "checks">} judged
 * @param {string | undefined} job the id of the page's job @param {string} printed the digest that the paper shows
 * @returns {Found}
 */
export function found({ receipt, digest, checks }, job, printed) {
  const failed = checks.find(({ state }) => state === "failed");
  if (failed) return { state: "failed", why: failed.name };
  if (!receipt || receipt.job !== job) return { state: "failed", why: "other" };
  if (digest !== printed) return { state: "failed", why: "paper" };
  const entry = checks.find(({ name, state }) => name === "inclusion" && state === "ok");
  return entry ? { state: "logged", values: entry.values } : { state: "ok" };
}

/**
 * What the check finds now. Throws where the receipt or the keys cannot be fetched.
 * @param {DOMStringMap} about the job's id and the addresses @param {string} printed
 * @returns {Promise<Found>}
 */
async function look(about, printed) {
  return (await canVerify()) ? found(await asked(about), about.job, printed) : { state: "unable" };
}

/** @param {DOMStringMap} about */
async function asked({ receipt = "", log, consistency }) {
  const answer = await fetch(receipt, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  // The file has its proof as soon as there is one: where it lacks it, the log is not asked in vain.
  return await checked(await answer.text(), { log, consistency }, () => []);
}

/** Says what was found. @param {HTMLElement} place @param {Found} found */
function say(place, { state, why = "", values }) {
  const [result, meaning] = place.querySelectorAll("p");
  const sentence = document.createElement("span");
  sentence.textContent = word(`checked-${state}`);
  place.dataset.state = state;
  result.replaceChildren(icon(ICONS[state]), sentence);
  meaning.hidden = state === "now";
  meaning.textContent = meaning.hidden ? "" : word(state === "ok" ? "checked-means" : `checked-${state}-means`, { why: word(`checked-${why}`) });
  const log = document.getElementById("in-log");
  if (log && state === "logged") log.textContent = word("checked-in-log", values);
  const button = place.querySelector("button");
  if (button) button.hidden = state !== "unasked";
  document.dispatchEvent(new CustomEvent("mmi:checked", { detail: { state } }));
}

/**
 * Checks the receipt beside `place`, and says what was found; resolves after the first check. Throws where nothing could be
 * fetched.
 * @param {HTMLElement} place
 */
export async function check(place) {
  const printed = document.querySelector("#slip [data-seal]")?.getAttribute("data-seal") ?? "";
  say(place, { state: "now" });
  const first = await look(place.dataset, printed);
  say(place, first);
  if (first.state === "ok") void again(place, printed);
}

/** Looks again until the log has it. @param {HTMLElement} place @param {string} printed */
async function again(place, printed) {
  for (const seconds of ASKING) {
    await pause(seconds * 1000);
    const now = await look(place.dataset, printed).catch(() => null);
    if (!now || now.state === "ok" || !place.isConnected) continue;
    say(place, now);
    return;
  }
}
