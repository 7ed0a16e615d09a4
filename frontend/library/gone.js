/**
 * Which kept models are no longer in the server's history, told without asking: a page of it lists every job between its
 * newest and its oldest, so what is kept from that time and is not on the page is gone.
 */

/**
 * @template {{ job: string, created: string }} T
 * @param {readonly T[]} kept
 * @param {{ jobs: ReadonlySet<string>, from: number, to: number }} page moments in ms between which it is complete
 * @returns {T[]}
 */
export function missing(kept, { jobs, from, to }) {
  return kept.filter(({ job, created }) => {
    const at = Date.parse(created);
    return at > from && at < to && !jobs.has(job);
  });
}
