/** Sends the form's photo with its progress; every way this can end is either the job's address or a named error. */

import { Busy } from "./create/queue.js";

const BUSY_SECONDS = 5;

/** The server said no; its message is for people, and so are the `errors` by field; `code` is for programs. */
export class Refused extends Error {
  /**
   * @param {string} message
   * @param {Record<string, {message: string}[]>} [errors]
   * @param {string} [code]
   */
  constructor(message, errors = {}, code = "") {
    super(message);
    this.code = code;
    /** @type {Record<string, string>} */
    this.errors = Object.fromEntries(
      Object.entries(errors).map(([name, found]) => [name, found.map((each) => each.message).join(" ")]),
    );
  }
}
/** The session is over. */
export class SignedOut extends Error {}
/** The connection broke, or there is none. */
export class Unreachable extends Error {}

/**
 * Resolves to the new job's address. `progress` is told the part sent, 0 to 1.
 * @param {string} address
 * @param {FormData} body
 * @param {(part: number) => void} progress
 * @returns {Promise<string>}
 */
export function send(address, body, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.upload.addEventListener("load", () => progress(1));
    request.addEventListener("load", () => {
      const answer = /** @type {{job?: string, code?: string, detail?: string, errors?: Record<string, {message: string}[]>} | null} */ (
        request.response
      );
      if (request.status === 201 && answer?.job) resolve(answer.job);
      else if (request.responseURL.includes("/login") || request.status === 401) reject(new SignedOut());
      else if (request.status === 429 || answer?.code === "too_many_jobs") {
        const seconds = Number(request.getResponseHeader("Retry-After"));
        reject(new Busy(seconds > 0 ? seconds : BUSY_SECONDS, answer?.detail ?? ""));
      } else if (request.status >= 400 && answer?.detail) reject(new Refused(answer.detail, answer.errors, answer.code));
      else reject(new Error(`status ${request.status}`));
    });
    for (const end of ["error", "abort", "timeout"]) {
      request.addEventListener(end, () => reject(new Unreachable()));
    }
    request.send(body);
  });
}
