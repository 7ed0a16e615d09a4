/**
 * Tells somebody who looks elsewhere how a job stands: the tab's title always, and a notification when the model is ready
 * for whoever asked for one. Neither says anything of the photo.
 */

import { toGo } from "./estimates.js";
import { news } from "./news.js";
import { byId, show } from "./page.js";
import { phase } from "./snapshot.js";
import { moment } from "./times.js";
import { word } from "./words.js";

/** @typedef {import("./snapshot.js").Snapshot} Snapshot */

/** Nobody leaves for less than this, in seconds. */
const WORTH_IT = 20;

/** Shows the page's headline in the tab's title, and how far it is. @param {Snapshot} snapshot @param {boolean} online */
export function showTitle(snapshot, online) {
  const headline = byId("claim", HTMLElement).querySelector("h1")?.textContent?.trim() ?? "";
  const state = phase(snapshot);
  const lead = {
    running: `${snapshot.percent} %`,
    waiting: snapshot.queue_place && !snapshot.waiting ? word("place-title", { place: snapshot.queue_place }) : "",
  }[state];
  const site = document.title.split(" · ").at(-1) ?? "";
  const lost = online || snapshot.final ? "" : word("no-line");
  document.title = [lost, lead, headline, site].filter(Boolean).join(" · ");
}

/**
 * A registration that can show notifications where a page itself may not (Android); null where there is none.
 * @returns {Promise<ServiceWorkerRegistration | null>}
 */
async function registration() {
  try {
    return (await navigator.serviceWorker?.getRegistration()) ?? null;
  } catch {
    return null;
  }
}

/** Whether this browser may and can notify from this page; `ask`: the person just pressed for it. @param {boolean} ask */
async function able(ask) {
  if (!("Notification" in window)) return false;
  const may = ask ? await Notification.requestPermission() : Notification.permission;
  // Chrome on Android has the constructor and refuses to use it: only a service worker may.
  return may === "granted" && (!/Android/.test(navigator.userAgent) || (await registration()) !== null);
}

/** The wish to be told about one job, which outlives a reload and ends with the tab. */
class Wish {
  /** @param {string} job */
  constructor(job) {
    this.name = `tell:${job}`;
    this.made = false;
    try {
      this.made = sessionStorage.getItem(this.name) !== null;
    } catch {
      // a browser without storage forgets the wish when the page is loaded anew
    }
  }

  /** @param {boolean} wanted */
  make(wanted) {
    this.made = wanted;
    try {
      if (wanted) sessionStorage.setItem(this.name, "yes");
      else sessionStorage.removeItem(this.name);
    } catch {
      // kept in this page only
    }
  }
}

/** One page's button, its sentence, and the notification. */
export class Teller {
  constructor() {
    this.place = byId("tell", HTMLElement);
    this.button = /** @type {HTMLButtonElement} */ (this.place.querySelector("button"));
    this.said = /** @type {HTMLElement} */ (this.place.querySelector("p"));
    this.wish = new Wish(this.place.dataset.job ?? "");
    this.told = false;
    this.button.addEventListener("click", () => void this.press());
    if (this.wish.made) void this.confirm(false);
  }

  /** Asked for, or taken back. */
  async press() {
    this.wish.make(!this.wish.made);
    if (this.wish.made) return await this.confirm(true);
    this.button.textContent = word("tell");
    this.said.textContent = "";
  }

  /** Says what will come of the wish. @param {boolean} ask for permission */
  async confirm(ask) {
    this.button.textContent = word("tell-not");
    this.said.textContent = ask && globalThis.Notification?.permission === "default" ? word("tell-asks") : "";
    const can = await able(ask);
    if (this.wish.made) this.said.textContent = word(can ? "tell-will" : "tell-title");
  }

  /**
   * Looks whether the button is worth showing, and whether it is time to tell.
   * @param {Snapshot} snapshot @param {number} at milliseconds by the server's clock
   */
  look(snapshot, at) {
    const state = phase(snapshot);
    const waits = state === "waiting" || state === "running";
    const estimate = toGo(snapshot.timeline, at);
    const long = estimate.state !== "known" || estimate.seconds > WORTH_IT;
    if (!waits) show(this.place, false);
    else if (long || this.wish.made) show(this.place, true);
    if (waits || this.told) return;
    this.told = true;
    const what = news(snapshot, { wished: this.wish.made, hidden: document.hidden });
    const until = snapshot.expires_at ? moment(new Date(snapshot.expires_at)) : "";
    if (what) void this.notify(word(what), word(`${what}-why`, { time: until }));
  }

  /** @param {string} title @param {string} body */
  async notify(title, body) {
    if (!(await able(false))) return;
    const how = { body, tag: this.wish.name };
    try {
      const shown = new Notification(title, how);
      shown.addEventListener("click", () => {
        window.focus();
        shown.close();
      });
    } catch {
      await (await registration())?.showNotification(title, how);
    }
  }
}
