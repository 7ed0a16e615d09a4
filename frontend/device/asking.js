/** Asks the worker: one question at a time, each within its time; a worker that takes longer is ended and made anew. */

/** @typedef {import("./messages.js").Tasks} Tasks */

/**
 * The worker did not do it. `code` says why: a word of the worker's own, "slow", or "worker" where there is none.
 */
export class Failed extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** @typedef {{resolve: (answer: any) => void, reject: (why: Failed) => void}} Asked */

/** @type {Worker | null} */
let worker = null;
/** @type {Map<number, Asked>} */
const open = new Map();
let count = 0;
/** @type {Promise<unknown>} */
let busy = Promise.resolve();

/** Ends the worker; what it was asked fails. @param {string} code */
function end(code) {
  worker?.terminate();
  worker = null;
  for (const { reject } of open.values()) reject(new Failed(code));
  open.clear();
}

/** The worker, started when it is first asked. @param {string} address */
function started(address) {
  if (worker) return worker;
  worker = new Worker(address, { type: "module", name: "device" });
  worker.addEventListener("error", () => end("worker")); // it could not be loaded, or broke
  worker.addEventListener("message", ({ data: { id, answer, failed } }) => {
    const asked = open.get(id);
    open.delete(id);
    if (failed) asked?.reject(new Failed(failed));
    else asked?.resolve(answer);
  });
  return worker;
}

/**
 * The worker's answer. Throws Failed.
 * @template {keyof Tasks} Name
 * @param {string} address of the worker
 * @param {Name} name
 * @param {Tasks[Name][0]} asked
 * @param {number} seconds until the worker is ended; 0: it only waits for the network, for as long as that takes
 * @returns {Promise<Tasks[Name][1]>}
 */
export async function ask(address, name, asked, seconds) {
  if (typeof Worker === "undefined" || typeof OffscreenCanvas === "undefined") throw new Failed("worker");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  try {
    return await new Promise((resolve, reject) => {
      count += 1;
      const to = started(address);
      open.set(count, { resolve, reject });
      to.postMessage({ id: count, name, asked });
      if (seconds) timer = setTimeout(() => end("slow"), 1000 * seconds);
    });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Does one thing after the other, so that none waits for the worker while its time runs.
 * @template Result
 * @param {() => Promise<Result>} job
 * @returns {Promise<Result>}
 */
export function inTurn(job) {
  const done = busy.then(job);
  busy = done.catch(() => {});
  return done;
}
