/** What of a job is worth telling somebody who looks elsewhere. */

import { phase } from "./snapshot.js";

/** @typedef {import("./snapshot.js").Snapshot} Snapshot */

/**
 * What to tell somebody of a job, by the name of its sentence; empty for nothing: they see it, did not ask, or did it.
 * @param {Snapshot} snapshot @param {{ wished: boolean, hidden: boolean }} person
 */
export function news(snapshot, { wished, hidden }) {
  if (!wished || !hidden) return "";
  if (phase(snapshot) === "ready") return "ready";
  return snapshot.outcome === "failed" ? "no-model" : "";
}
