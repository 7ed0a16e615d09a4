/**
 * How long until a model is there, by what each stage usually takes. What is late is said to be late: no estimate runs down
 * to nothing and stays there.
 */

/** @typedef {import("./snapshot.js").Line} Line */
/** @typedef {{ state: "known" | "late", seconds: number } | { state: "unknown" }} Estimate `late`: what the stage usually takes */

/** What comes from here on depends on a person. */
const READY = "delivered";

/** A stage is late when it has taken this many times its usual time, and a second more. */
const LATE = 1.25;

/**
 * Seconds since a line of the timeline began; 0 where that is not known.
 * @param {Line} line @param {number} at milliseconds since the epoch, by the server's clock
 */
export function running(line, at) {
  return line.began ? Math.max(0, (at - Date.parse(line.began)) / 1000) : 0;
}

/**
 * What is left until the model is ready. Only the wait in line and the building take long enough to be missed: stages of
 * a moment count as nothing where they were never measured.
 * @param {Line[]} lines @param {number} at milliseconds since the epoch, by the server's clock
 * @returns {Estimate}
 */
export function toGo(lines, at) {
  let seconds = 0;
  for (const line of lines) {
    if (line.code === READY) break;
    if (line.state === "done") continue;
    if (line.usual === null) {
      if (["waited", "built"].includes(line.code)) return { state: "unknown" };
      continue;
    }
    const since = line.state === "now" ? running(line, at) : 0;
    if (since > line.usual * LATE + 1) return { state: "late", seconds: line.usual };
    seconds += Math.max(0, line.usual - since);
  }
  return { state: "known", seconds };
}
