/**
 * Sends a list of photos, each as a job of its own: so many at once as the server is glad of, in the order of the list.
 * Where the server says that there are too many, all wait as long as it asks, and go on.
 */

/** Uploads under way at the same time: more would only share the line. */
export const AT_ONCE = 2;

/** There is no room just now; `wait` are the seconds after which another try makes sense, the message is for people. */
export class Busy extends Error {
  /** @param {number} wait @param {string} [message] */
  constructor(wait, message = "") {
    super(message);
    this.wait = wait;
  }
}

/**
 * What is known of a photo of the list. `key` makes sending it again harmless.
 * @typedef {"waiting" | "preparing" | "sending" | "held" | "made" | "failed"} State
 * @typedef {{key: string, state: State, why: string, job: string}} Item
 */

/**
 * Sends what waits, until nothing does.
 * @template {Item} T
 * @param {T[]} items looked at again after each; more may be added meanwhile
 * @param {{
 *   make: (item: T, state: (state: State) => void) => Promise<string>, explain: (failure: unknown) => string,
 *   stops: (failure: unknown) => boolean, tell: (item: T) => void, pause: (milliseconds: number) => Promise<unknown>,
 * }} means `make` resolves to the job’s address; a failure that `stops` leaves this item and the others waiting
 */
export async function sendAll(items, { make, explain, stops, tell, pause }) {
  let stopped = false;
  /** Until when everybody waits. */
  let held = Promise.resolve();
  const set = (/** @type {T} */ item, /** @type {State} */ state, why = "") => {
    item.state = state;
    item.why = why;
    tell(item);
  };
  const one = async (/** @type {T} */ item) => {
    set(item, "preparing");
    for (;;) {
      try {
        item.job = await make(item, (state) => set(item, state));
        return set(item, "made");
      } catch (failure) {
        if (failure instanceof Busy && !stopped) {
          set(item, "held");
          held = held.then(() => pause(Math.max(1, failure.wait) * 1000)).then(() => undefined);
          await held;
        } else {
          item.state = "waiting"; // as whoever is told of a stop finds it
          const stop = stops(failure);
          stopped ||= stop;
          return set(item, stop ? "waiting" : "failed", explain(failure));
        }
      }
    }
  };
  const worker = async () => {
    for (;;) {
      await held;
      const item = stopped ? undefined : items.find((each) => each.state === "waiting");
      if (!item) return;
      await one(item);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** A key for a job that nobody else has: a random UUID, also where the browser makes none by itself. */
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
