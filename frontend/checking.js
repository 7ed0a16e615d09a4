/** Checks a receipt in this browser against what the site publishes: its keys, the log's head, proofs where a file lacks one. */

import { compare, demandHead, judge, whyRefused } from "./proof.js";
import { Malformed, isObject, parse } from "./strict.js";

/** @typedef {import("./proof.js").Head} Head */
/** @typedef {import("./strict.js").JsonValue} JsonValue */
/** @typedef {{ log?: string, proof?: string, consistency?: string }} Addresses of the site's log, as pages give them in data- attributes */

/** What the site answers at an address of the log; throws when there is no answer. @param {string} address */
async function fetched(address) {
  // A head that the browser kept from a minute ago may be from before the first, or signed by a key that it does not know.
  const response = await fetch(address, { headers: { Accept: "application/json" }, cache: "no-cache" });
  if (!response.ok && response.status !== 404) throw new Error(String(response.status));
  return { found: response.ok, answer: parse(await response.text()) };
}

/** The keys and the present head. @param {Addresses} addresses */
export async function published(addresses) {
  const { answer } = await fetched(addresses.log ?? "");
  if (!isObject(answer) || !isObject(answer.keys)) throw new Malformed();
  return { keys: answer.keys, head: answer.head };
}

/**
 * Everything that can be checked of a receipt's text; `older` are heads of the log, as JSON, that somebody kept to compare
 * with. Throws when the site does not answer.
 * @param {string} text @param {Addresses} addresses @param {() => JsonValue[]} older asked for when it is needed
 */
export async function checked(text, addresses, older) {
  const { keys, head: present } = await published(addresses);
  const consistency = async (/** @type {number} */ first, /** @type {number} */ second) =>
    (await fetched(`${addresses.consistency}?first=${first}&second=${second}`)).answer;
  const judged = await judge(text, keys, async (leaf) => {
    if (!addresses.proof) return null;
    const { size } = await demandHead(present, keys);
    const { found, answer } = await fetched(`${addresses.proof}?leaf=${leaf}&size=${size}`);
    return found ? { proof: answer, head: present } : null;
  });
  if (!judged.head || judged.checks.some(({ state }) => state !== "ok")) return judged;
  const heads = [{ head: present, name: "consistency", refused: "head" }];
  for (const head of older()) heads.push({ head, name: "head", refused: "older" });
  for (const { head, name, refused } of heads) {
    try {
      judged.checks.push(await compare(judged.head, await demandHead(head, keys), consistency));
    } catch (error) {
      const why = whyRefused(error);
      if (why === null) throw error;
      judged.checks.push({ name, state: "failed", word: `${refused}-${why}` });
    }
  }
  return judged;
}
