/** The removal strip: which tags the photos have, that this device takes away before anything is sent. */

import { byId, show } from "../page.js";
import { word } from "../words.js";

/** @typedef {import("../device/prepare.js").Tag} Tag */

/** What people want to know of first. */
const ORDER = ["place", "person", "camera", "time", "program", "other"];
const SHOWN = 4;
const LONGEST = 120;

/**
 * The tags by whose names the strip begins: one of each group first, those that say most about a person before others.
 * @param {Tag[]} tags
 * @returns {Tag[]}
 */
export function ordered(tags) {
  const groups = ORDER.map((group) => tags.filter((tag) => tag.group === group));
  const named = (/** @type {Tag[]} */ group) => group.find((tag) => /serial/i.test(tag.name)) ?? group[0];
  const firsts = groups.slice(0, -1).flatMap((group) => (group.length ? [named(group)] : []));
  return [...firsts, ...groups.flat().filter((tag) => !firsts.includes(tag))];
}

/** What a tag is called on the strip: the first of a group stands for it. @param {Tag} tag @param {Tag[]} before */
function called(tag, before) {
  const own = /serial/i.test(tag.name) ? "serial" : tag.group;
  return own === "other" || before.some(({ group }) => group === tag.group) ? tag.name : word(`tag-${own}`);
}

/** Each once, though several photos have it. @param {Tag[]} tags */
function once(tags) {
  return [...new Map(tags.map((tag) => [`${tag.name}\n${tag.value}`, tag])).values()];
}

/**
 * Shows what is taken away.
 * @param {{tags: Tag[], unread: boolean} | null} found null before there is a photo; `unread`: a photo this device cannot read
 */
export function showRemoved(found) {
  show(byId("strip-before", HTMLElement), found === null);
  show(byId("removed", HTMLElement), found !== null);
  if (!found) return;
  const tags = ordered(once(found.tags));
  const title = byId("removed-title", HTMLElement);
  title.textContent = word(found.unread ? "tags-unread" : tags.length ? "removed" : "nothing-hidden");
  const all = byId("removed-all", HTMLDetailsElement);
  show(all, tags.length > 0);
  const strip = byId("removed-tags", HTMLElement);
  strip.replaceChildren(...tags.slice(0, SHOWN).map((tag, place) => item("s", called(tag, tags.slice(0, place)))));
  if (tags.length > SHOWN) strip.append(item("span", word("more-tags", { n: tags.length - SHOWN })));
  show(strip, tags.length > 0);
  const summary = all.querySelector("summary");
  if (summary) summary.textContent = word("see-all", { n: tags.length });
  byId("removed-list", HTMLElement).replaceChildren(
    ...tags.map((tag) => {
      const row = document.createElement("div");
      const [name, value] = [document.createElement("dt"), document.createElement("dd")];
      name.textContent = tag.name;
      value.textContent = tag.value.length > LONGEST ? `${tag.value.slice(0, LONGEST)}…` : tag.value;
      row.append(name, value);
      return row;
    }),
  );
}

/** A tag in a list. @param {"s" | "span"} kind struck or not @param {string} text */
function item(kind, text) {
  const [row, tag] = [document.createElement("li"), document.createElement(kind)];
  tag.className = "tag";
  tag.textContent = text;
  row.append(tag);
  return row;
}
