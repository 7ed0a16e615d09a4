/** Shows a running job: the slip's lines, the percentage, the object forming, the seconds that have passed. */

import { announce, icon, show } from "./page.js";
import { timeOfDay } from "./times.js";
import { credits, word } from "./words.js";

/** @typedef {import("./snapshot.js").Snapshot} Snapshot */
/** @typedef {import("./snapshot.js").Line} Line */

/** Lines that were done when we last looked, so that each is announced once. @type {Set<string> | null} */
let doneBefore = null;

/** Sets an element's text where the page has the element. @param {string} id @param {string} text */
function put(id, text) {
  const element = document.getElementById(id);
  if (element && element.textContent !== text) element.textContent = text;
}

/** What stands before a line. @param {Line} line */
function sign(line) {
  if (line.state === "done") return icon("check");
  const dot = document.createElement("span");
  dot.className = line.state === "now" ? "live-dot" : "hollow";
  return dot;
}

/**
 * What stands behind a line: its own time for the first, then the seconds since the line before.
 * @param {Line} line @param {string | null} before
 */
function took(line, before) {
  if (!line.at) return line.state === "now" ? "…" : "";
  const at = new Date(line.at);
  const seconds = before ? (at.getTime() - new Date(before).getTime()) / 1000 : -1;
  return seconds >= 0 && seconds < 600 ? `${seconds.toFixed(1)} s` : timeOfDay(at);
}

/** @param {Snapshot} snapshot */
function drawTimeline(snapshot) {
  const list = document.getElementById("timeline");
  if (!list) return;
  let before = /** @type {string | null} */ (null);
  const done = new Set(snapshot.timeline.filter((line) => line.state === "done").map((line) => line.code));
  const items = snapshot.timeline.map((line) => {
    const item = document.createElement("li");
    const fresh = doneBefore !== null && line.state === "done" && !doneBefore.has(line.code);
    item.className = fresh ? `${line.state} rise` : line.state;
    const label = document.createElement("span");
    label.textContent = line.label;
    if (line.state !== "next") {
      const state = document.createElement("span");
      state.className = "unseen";
      state.textContent = `, ${word(line.state)}`;
      label.append(state);
    }
    const time = document.createElement("span");
    time.textContent = took(line, before);
    before = line.at ?? before;
    item.append(sign(line), label, time);
    return item;
  });
  const added = snapshot.timeline.filter((line) => doneBefore !== null && done.has(line.code) && !doneBefore.has(line.code));
  const changed = doneBefore === null || added.length > 0 || list.childElementCount !== items.length;
  if (changed) list.replaceChildren(...items);
  const next = snapshot.timeline.find((line) => line.state === "now");
  if (added.length && next) announce(word("stages", { label: added[added.length - 1].label, next: next.label }));
  doneBefore = done;
}

/**
 * Brings the page of a job that is not over up to date.
 * @param {Snapshot} snapshot
 */
export function showRunning(snapshot) {
  drawTimeline(snapshot);
  const percent = Math.max(0, Math.min(100, snapshot.percent));
  put("percent", `${percent} %`);
  const now = snapshot.timeline.find((line) => line.state === "now");
  const waiting = (snapshot.queue_position ?? 0) > 1;
  if (now) put("working", snapshot.waiting ? word("now-provider") : waiting ? word("now-waiting") : now.label);
  document.getElementById("bar")?.setAttribute("value", String(percent));
  document.getElementById("done-part")?.setAttribute("width", String(percent * 4));
  document.getElementById("divider")?.setAttribute("x", String(percent * 4));
  if (snapshot.queue_position) put("place", word("place", { n: snapshot.queue_position }));
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
    put("live", word("seen", { time: timeOfDay(heardAt) }));
  }
  mark?.parentElement?.classList.toggle("stale", !online);
  const note = document.getElementById("connection");
  if (note) show(note, !online);
  if (!online && note?.hidden === false) announce(word("lost"));
}

/** Counts the time since the job began, once a second. */
export function countSeconds() {
  setInterval(() => {
    const element = document.getElementById("elapsed");
    if (!element?.dataset.since) return;
    const seconds = Math.max(0, Math.round((Date.now() - new Date(element.dataset.since).getTime()) / 1000));
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    put("elapsed", (parts[0] ? parts : parts.slice(1)).map((part) => String(part).padStart(2, "0")).join(":"));
  }, 1000);
}
