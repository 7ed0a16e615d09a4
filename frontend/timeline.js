/** Draws the slip's lines: what is done with the time it took, what runs with its time counting, what comes with an estimate. */

import { running } from "./estimates.js";
import { icon } from "./page.js";
import { span, took } from "./spans.js";
import { timeOfDay } from "./times.js";
import { word } from "./words.js";

/** @typedef {import("./snapshot.js").Line} Line */

/** The lines as they are drawn, to draw them anew only when they change. */
let drawn = "";

/** What stands before a line. @param {Line} line */
function sign(line) {
  if (line.state === "done") return icon("check");
  const dot = document.createElement("span");
  dot.className = line.state === "now" ? "live-dot" : "hollow";
  return dot;
}

/** What stands behind a line. @param {Line} line @param {number} at milliseconds by the server's clock */
function time(line, at) {
  if (line.state === "next") return line.usual === null ? "" : `~ ${span(line.usual)}`;
  if (line.state === "now") return line.began ? `${span(running(line, at))} …` : "…";
  if (!line.at) return "";
  return line.began ? took(running(line, Date.parse(line.at))) : timeOfDay(new Date(line.at));
}

/** @param {Line} line @param {boolean} fresh @param {number} at */
function item(line, fresh, at) {
  const made = document.createElement("li");
  made.className = fresh ? `${line.state} rise` : line.state;
  const label = document.createElement("span");
  label.textContent = line.label;
  if (line.state !== "next") {
    const state = document.createElement("span");
    state.className = "unseen";
    state.textContent = `, ${word(line.state)}`;
    label.append(state);
  }
  const end = document.createElement("span");
  end.textContent = time(line, at);
  made.append(sign(line), label, end);
  return made;
}

/**
 * Draws the lines into the slip, where the page has one.
 * @param {Line[]} lines @param {Set<string>} fresh the codes of those that were done just now @param {number} at
 */
export function drawTimeline(lines, fresh, at) {
  const list = document.getElementById("timeline");
  if (!list) return;
  const wanted = JSON.stringify(lines);
  if (wanted !== drawn || list.dataset.by !== "script") {
    list.replaceChildren(...lines.map((line) => item(line, fresh.has(line.code), at)));
    list.dataset.by = "script";
    drawn = wanted;
    return;
  }
  const now = lines.findIndex((line) => line.state === "now");
  const end = list.children[now]?.lastElementChild;
  if (end) end.textContent = time(lines[now], at);
}
