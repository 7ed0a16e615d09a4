/**
 * The service worker. It keeps the site's own files and one page for when there is no network; never a page of a
 * person's. Photos that another app shares go to the create page through this device's database, and are not sent.
 */

import { offer } from "./create/incoming.js";

/** @typedef {{offline: string, shared: string, create: string, choosing: string[], files: string, parts: string[]}} Site */
/**
 * What a service worker has and a page has not, as far as it is used here.
 * @typedef {Event & {waitUntil: (work: Promise<unknown>) => void}} Extended
 * @typedef {Extended & {request: Request, respondWith: (answer: Response | Promise<Response>) => void}} Fetched
 */
const worker = /** @type {EventTarget & {SITE: Site, location: Location, skipWaiting: () => Promise<void>, clients: {claim: () => Promise<void>}}} */ (
  /** @type {unknown} */ (self)
);
const { SITE } = worker;
const KEPT = "mmi-files";
const MOST_SHARED = 20;

/** Fetches the page without a network and what it is made of; without a network, what is here stays. */
async function keepParts() {
  const cache = await caches.open(KEPT);
  await Promise.all(
    [SITE.offline, ...SITE.parts].map(async (address) => {
      const answer = await fetch(address, { cache: "no-cache", credentials: "same-origin" });
      if (answer.ok && !answer.redirected) await cache.put(address, answer);
    }),
  );
}

/**
 * A file of the site's: as it is there now, and as it was when there is no network.
 * @param {Request} request
 */
async function file(request) {
  const cache = await caches.open(KEPT);
  try {
    const answer = await fetch(request);
    if (answer.status === 200 && answer.type === "basic") await cache.put(request, answer.clone());
    return answer;
  } catch (failure) {
    const kept = await cache.match(request);
    if (kept) return kept;
    throw failure;
  }
}

/**
 * A page: always from the network, since it may be a person's.
 * @param {Request} request
 */
async function page(request) {
  try {
    return await fetch(request);
  } catch (failure) {
    const kept = await caches.match(SITE.offline);
    if (kept) return kept;
    throw failure;
  }
}

/**
 * Photos from another app.
 * @param {Request} request
 */
async function share(request) {
  try {
    const sent = (await request.formData()).getAll("photos");
    const photos = sent.filter((each) => each instanceof File && each.size > 0).slice(0, MOST_SHARED);
    if (photos.length) {
      await offer(/** @type {File[]} */ (photos), "shared");
      return Response.redirect(`${SITE.create}#shared`, 303);
    }
  } catch {
    // No storage, or no form: the page says that the photo has to be chosen there.
  }
  return Response.redirect(`${SITE.create}#share-again`, 303);
}

worker.addEventListener("install", (event) => {
  /** @type {Extended} */ (event).waitUntil(keepParts().then(() => worker.skipWaiting()));
});
worker.addEventListener("activate", (event) => {
  /** @type {Extended} */ (event).waitUntil(worker.clients.claim());
});
worker.addEventListener("fetch", (happened) => {
  const event = /** @type {Fetched} */ (happened);
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== worker.location.origin) return;
  if (request.method === "POST" && pathname === SITE.shared) event.respondWith(share(request));
  else if (request.method === "POST" && SITE.choosing.includes(pathname)) {
    // The page without a network follows the new language or colours.
    event.respondWith(fetch(request));
    event.waitUntil(new Promise((done) => setTimeout(done, 2000)).then(keepParts).catch(() => {}));
  } else if (request.method !== "GET") return;
  else if (request.mode === "navigate") event.respondWith(page(request));
  else if (pathname.startsWith(SITE.files)) event.respondWith(file(request));
});
