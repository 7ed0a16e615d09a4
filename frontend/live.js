/** A job's live updates: an event stream, and asking again and again where the stream does not get through. */

import { pause } from "./page.js";

/** @typedef {import("./snapshot.js").Snapshot} Snapshot */

const ASK_EVERY = 2000;

/**
 * Calls `tell` with each snapshot until the job is over; `connected` is told when the line is lost and found.
 * @param {{events: string, state: string}} addresses
 * @param {(snapshot: Snapshot) => void} tell
 * @param {(online: boolean) => void} connected
 */
export function follow(addresses, tell, connected) {
  let over = false;
  /** @param {Snapshot} snapshot */
  const heard = (snapshot) => {
    connected(true);
    over = snapshot.final;
    tell(snapshot);
  };
  const source = new EventSource(addresses.events);
  source.addEventListener("state", (event) => {
    heard(JSON.parse(event.data));
    if (over) source.close();
  });
  source.addEventListener("error", () => {
    if (over) return;
    connected(false);
    // The browser connects again by itself, unless the answer was none it can use.
    if (source.readyState === EventSource.CLOSED) void ask();
  });

  window.addEventListener("offline", () => connected(over));
  window.addEventListener("online", () => connected(true));

  /** Asks for the state until the job is over. */
  async function ask() {
    while (!over) {
      try {
        const response = await fetch(addresses.state, { headers: { Accept: "application/json" } });
        if (response.ok && !response.redirected) heard(await response.json());
        else if (response.redirected || response.status === 404) window.location.reload();
      } catch {
        connected(false);
      }
      if (!over) await pause(ASK_EVERY);
    }
  }
}
