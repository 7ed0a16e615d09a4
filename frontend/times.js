/** Shows every `<time data-as>` in the reader's own time zone; the server wrote UTC. */

/** As the server writes times: 24 hours, in every language. */
const hours = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { ...hours, second: "2-digit" });
const minutes = new Intl.DateTimeFormat(document.documentElement.lang, hours);

/** @type {Record<string, (at: Date) => string>} */
const formats = {
  clock: (at) => clock.format(at),
  date: (at) =>
    new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "short", year: "numeric" }).format(at),
  moment,
  day: dayOf,
  dated: (at) => `${dayOf(at)}, ${minutes.format(at)}`,
};

/**
 * A moment near now: the time alone on the same day, else with its date.
 * @param {Date} at
 */
export function moment(at) {
  const today = at.toDateString() === new Date().toDateString();
  return today ? minutes.format(at) : `${dayOf(at)}, ${minutes.format(at)}`;
}

/** The day, with its year unless that is this one. @param {Date} at */
function dayOf(at) {
  const day = new Intl.DateTimeFormat(document.documentElement.lang, {
    day: "numeric",
    month: "short",
    ...(at.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" }),
  });
  return day.format(at);
}

/**
 * The time of day to the second.
 * @param {Date} at
 */
export function timeOfDay(at) {
  return clock.format(at);
}

/**
 * Rewrites the times below an element.
 * @param {ParentNode} root
 */
export function localise(root) {
  for (const element of root.querySelectorAll("time[data-as]")) {
    const at = new Date(element.getAttribute("datetime") ?? "");
    const format = formats[element.getAttribute("data-as") ?? ""];
    if (format && !Number.isNaN(at.getTime())) {
      element.textContent = format(at);
      element.setAttribute("title", at.toLocaleString(document.documentElement.lang, { timeZoneName: "short" }));
    }
  }
}
