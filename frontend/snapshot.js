/**
 * The shape of a job's snapshot, and what the page shows for it (the same rule as the server's `phase`).
 *
 * @typedef {{
 *   code: string, label: string, state: "done" | "now" | "next",
 *   began: string | null, at: string | null, usual: number | null
 * }} Line `usual`: how many seconds it is expected to take
 * @typedef {{url: string, bytes: number, triangles: number}} Asset
 * @typedef {{number: number, provider: string, place: string, state: string}} Attempt
 * @typedef {{
 *   id: string, stage: string, outcome: string, final: boolean, percent: number, queue_position: number | null,
 *   queue_place: string,
 *   provider: string, quality: string,
 *   waiting: {code: string, message: string} | null, attempts: Attempt[],
 *   timeline: Line[], asset: Asset | null, expires_at: string | null, created_at: string, can_cancel: boolean,
 *   credits: {held: number, charged: number}, receipt: {url: string} | null
 * }} Snapshot
 */

/**
 * `waiting`, `running`, `ready`, `ending` or the final outcome.
 * @param {Snapshot} snapshot
 */
export function phase(snapshot) {
  if (snapshot.final) return snapshot.outcome;
  if (snapshot.outcome || !snapshot.can_cancel) return "ending";
  if (snapshot.asset) return "ready";
  if (["deliver", "purge"].includes(snapshot.stage)) return "ending";
  return snapshot.waiting || (snapshot.queue_position ?? 0) > 1 ? "waiting" : "running";
}
