/** A page that waits for something else to happen looks again by itself, and is shown anew once it has happened. */

const MARK = "[data-watch]";

/** Asks for this page every so many seconds, as its element with `data-watch` says, until that is gone from it. */
export function watch() {
  const seconds = Number(document.querySelector(MARK)?.getAttribute("data-watch"));
  if (seconds) window.setTimeout(look, seconds * 1000, seconds);
}

/** One look. A hidden page waits; an answer that does not come is asked for again. @param {number} seconds */
async function look(seconds) {
  try {
    if (!document.hidden && (await happened())) return window.location.reload();
  } catch {
    // No connection: the next look may have one.
  }
  return window.setTimeout(look, seconds * 1000, seconds);
}

/** Whether the page no longer waits. */
async function happened() {
  const answer = await fetch(window.location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector(MARK) === null;
}
