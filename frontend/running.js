/** Shows a job that is not over: the slip's lines, the percentage, the object forming, what has passed and what is left. */

import { toGo } from "./estimates.js";
import { announce, show } from "./page.js";
import { span } from "./spans.js";
import { drawTimeline } from "./timeline.js";
import { timeOfDay } from "./times.js";
import { credits, word } from "./words.js";

/** @typedef {import("./snapshot.js").Snapshot} Snapshot */

/** Lines that were done when we last looked, so that each is announced once. @type {Set<string> | null} */
let doneBefore = null;
/** The job as it was when we last heard of it. @type {Snapshot | null} */
let last = null;
/** How far this device's clock is ahead of the server's, in milliseconds. @type {number | null} */
let ahead = null;

/** The present moment by the server's clock, in milliseconds since the epoch. */
export function serverNow() {
  if (ahead === null) {
    const drawn = Date.parse(document.getElementById("elapsed")?.dataset.now ?? "");
    ahead = Number.isNaN(drawn) ? 0 : Date.now() - drawn;
  }
  return Date.now() - ahead;
}

/** Sets an element's text where the page has the element. @param {string} id @param {string} text */
function put(id, text) {
  const element = document.getElementById(id);
  if (element && element.textContent !== text) element.textContent = text;
}

/** The sentence about what is left; empty when nothing is to be waited for. @param {Snapshot} snapshot @param {number} at */
function left(snapshot, at) {
  const estimate = toGo(snapshot.timeline, at);
  const known = estimate.state === "unknown" ? "" : span(estimate.seconds);
  if ((snapshot.queue_position ?? 0) > 1) {
    return estimate.state === "known"
      ? word("place-about", { place: snapshot.queue_place, time: known })
      : word("place", { place: snapshot.queue_place });
  }
  if (estimate.state === "known") return word("to-go", { time: known });
  return estimate.state === "late" ? word("to-go-late", { time: known }) : word("to-go-unknown");
}

/**
 * Brings the page of a job that is not over up to date.
 * @param {Snapshot} snapshot
 */
export function showRunning(snapshot) {
  const at = serverNow();
  const before = doneBefore;
  const done = new Set(snapshot.timeline.filter((line) => line.state === "done").map((line) => line.code));
  const fresh = new Set(before ? [...done].filter((code) => !before.has(code)) : []);
  drawTimeline(snapshot.timeline, fresh, at);
  put("to-go", left(snapshot, at));
  const now = snapshot.timeline.find((line) => line.state === "now");
  const ended = snapshot.timeline.findLast((line) => fresh.has(line.code));
  if (ended && now) announce(word("stages", { label: ended.label, next: now.label }));
  doneBefore = done;
  last = snapshot;

  const percent = Math.max(0, Math.min(100, snapshot.percent));
  put("percent", `${percent} %`);
  const waiting = (snapshot.queue_position ?? 0) > 1;
  if (now) put("working", snapshot.waiting ? word("now-provider") : waiting ? word("now-waiting") : now.label);
  document.getElementById("bar")?.setAttribute("value", String(percent));
  document.getElementById("done-part")?.setAttribute("width", String(percent * 4));
  document.getElementById("divider")?.setAttribute("x", String(percent * 4));
  put("held", credits(snapshot.credits.held));
  put("charged", credits(snapshot.credits.charged));
}

/** When we last heard of the job, and what "live" was called then. */
let heardAt = new Date();
let live = "";

/** Shows or takes away the sentence about a lost connection. @param {boolean} online */
export function showConnection(online) {
  const mark = document.getElementById("live");
  if (online) {
    heardAt = new Date();
    if (live) put("live", live);
    live = "";
  } else if (mark && !live) {
    live = mark.textContent ?? "";
    put("live", word("last-seen", { time: timeOfDay(heardAt) }));
  }
  mark?.parentElement?.classList.toggle("stale", !online);
  const note = document.getElementById("connection");
  const news = !online && note?.hidden === true;
  if (note) show(note, !online);
  if (news) announce(word("lost"));
}

/** Counts on, once a second: the time since the job began, that of the line that runs, and what is left. */
export function countSeconds() {
  setInterval(() => {
    const at = serverNow();
    const element = document.getElementById("elapsed");
    if (element?.dataset.since) {
      const seconds = Math.max(0, Math.round((at - Date.parse(element.dataset.since)) / 1000));
      const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
      put("elapsed", (parts[0] ? parts : parts.slice(1)).map((part) => String(part).padStart(2, "0")).join(":"));
    }
    if (!last) return;
    drawTimeline(last.timeline, new Set(), at);
    put("to-go", left(last, at));
  }, 1000);
}
