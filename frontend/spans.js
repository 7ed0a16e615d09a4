/** Times as people say them: roughly where they are estimated, in tenths of a second where they were short and measured. */

const [TENTHS_BELOW, SECONDS_BELOW, MINUTES_BELOW] = [60, 90, 5400];

/** "8 s", "3 min", "2 h"; the same rule as the server's `span`. @param {number} seconds */
export function span(seconds) {
  if (seconds < SECONDS_BELOW) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < MINUTES_BELOW ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** What something took, by measurement: "4.1 s"; the same rule as the server's `took`. @param {number} seconds */
export function took(seconds) {
  return seconds < TENTHS_BELOW ? `${seconds.toFixed(1)} s` : span(seconds);
}
