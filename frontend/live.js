/**
 * A job's live updates: an event stream, and asking where the stream does not get through, broke, or died without a word
 * (a laptop that slept, another network). Whoever looks at the page again sees the present state at once.
 */

/** @typedef {import("./snapshot.js").Snapshot} Snapshot */

const ASK_EVERY = 2000;
/** A stream that said nothing for so long may be dead: asking shows whether it missed something. */
const QUIET = 30_000;
/** Hidden tabs are woken once a minute; a longer gap means that the device slept. */
const SLEPT = 90_000;

/**
 * Calls `tell` with each snapshot until the job is over; `connected` is told when the line is lost and found.
 * @param {{events: string, state: string}} addresses
 * @param {(snapshot: Snapshot) => void} tell
 * @param {(online: boolean) => void} connected
 */
export function follow(addresses, tell, connected) {
  let over = false;
  /** The last state, as text. */
  let last = "";
  /** So often we heard; an answer that was overtaken is dropped. */
  let heardTimes = 0;
  let [heardAt, openedAt, lookedAt] = [Date.now(), 0, Date.now()];
  let asking = false;
  /** @type {EventSource | null} */
  let source = null;

  /** @param {string} text a snapshot */
  function heard(text) {
    if (over) return;
    const snapshot = /** @type {Snapshot} */ (JSON.parse(text));
    heardTimes += 1;
    heardAt = Date.now();
    last = JSON.stringify(snapshot);
    over = snapshot.final;
    connected(true);
    tell(snapshot);
    if (!over) return;
    source?.close();
    clearInterval(looking);
  }

  /** A new stream in place of the one there is. */
  function open() {
    if (over) return;
    source?.close();
    const opened = new EventSource(addresses.events);
    source = opened;
    openedAt = Date.now();
    opened.addEventListener("state", (event) => heard(event.data));
    // The server ends streams now and then: whether the line is lost is seen by asking.
    opened.addEventListener("error", () => void ask());
  }

  /** Asks once. A state that the stream should have told of shows that it is dead. */
  async function ask() {
    if (over || asking) return;
    asking = true;
    const before = heardTimes;
    try {
      const response = await fetch(addresses.state, { headers: { Accept: "application/json" } });
      if (response.redirected || response.status === 404) return window.location.reload();
      if (!response.ok) throw new Error(String(response.status));
      const text = await response.text();
      if (before !== heardTimes) return;
      const missed = JSON.stringify(JSON.parse(text)) !== last;
      heard(text);
      if (missed && source?.readyState === EventSource.OPEN) open();
    } catch {
      connected(over);
    } finally {
      asking = false;
    }
  }

  function look() {
    const now = Date.now();
    const gap = now - lookedAt;
    lookedAt = now;
    const broken = source?.readyState !== EventSource.OPEN;
    if (gap > SLEPT || (broken && now - openedAt > QUIET)) open();
    if (broken || now - heardAt > QUIET) void ask();
  }

  const looking = setInterval(look, ASK_EVERY);
  window.addEventListener("offline", () => {
    heardTimes += 1; // an answer that is still on its way says nothing of the line
    connected(over);
  });
  window.addEventListener("online", open);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) open();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void ask();
  });
  open();
}
