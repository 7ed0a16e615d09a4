/** “Save all as ZIP” and “Add from a ZIP”, in sentences: what went into it, what came out of it, and why not. */

import { word } from "../words.js";
import { Refused, groups } from "./manifest.js";
import { NoSpace, Unfit, lacking } from "./shelf.js";
import { large, models } from "./space.js";
import { exported, listed, taken } from "./transfer.js";

/** @typedef {import("./shelf.js").Shelf} Shelf */

/** How long a saved file's bytes stay at hand for the browser to write them down. */
const HANDING_OVER = 600_000;

/** Hands a file to the browser to save. @param {Blob} file @param {string} name */
export function save(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), HANDING_OVER);
}

/**
 * Saves all that is kept, in several ZIPs if one is too small for it; resolves to what is said then.
 * @param {Shelf} shelf @param {(sentence: string) => void} say
 */
export async function saveAll(shelf, say) {
  const parts = groups(await shelf.all());
  let [count, cleared, bytes] = [0, 0, 0];
  try {
    for (const [number, part] of parts.entries()) {
      const progress = (/** @type {number} */ done) => say(word("packing", { n: Math.floor(done * 100) }));
      const found = await exported(part, (kept, role) => shelf.file(kept, role), progress);
      cleared += found.cleared;
      if (!found.count) continue;
      count += found.count;
      bytes += found.zip.size;
      save(found.zip, parts.length > 1 ? `models-${number + 1}-of-${parts.length}.zip` : "models.zip");
    }
  } catch {
    return word("pack-failed");
  }
  const said = count ? [word("packed", { models: models(count), size: large(bytes) })] : [];
  if (cleared) said.push(word("packed-cleared", { models: models(cleared) }));
  return said.join(" ");
}

/**
 * Takes in the models of a ZIP, which may be anybody's; nothing that is here goes for them. Resolves to what is said then.
 * @param {Shelf} shelf @param {Blob} zip @param {(sentence: string) => void} say
 */
export async function bringIn(shelf, zip, say) {
  let found;
  try {
    found = await listed(zip);
  } catch (error) {
    return word(error instanceof Refused ? error.message : "zip-not"); // the other: a file that changed while it was read
  }
  const here = new Set((await shelf.all()).map(({ job }) => job));
  const short = await lacking(found.bytes);
  if (short > 0) return word("zip-large", { size: large(short) });
  let [added, twice, wrong, full] = [0, 0, 0, false];
  for (const [number, model] of found.models.entries()) {
    say(word("reading", { n: number + 1, all: found.models.length }));
    if (here.has(model.job)) {
      twice += 1;
      continue;
    }
    const files = await taken(zip, found.entries, model).catch(() => null);
    if (!files) {
      wrong += 1;
      continue;
    }
    try {
      await shelf.keep(model, files, { makeRoom: false });
      added += 1;
    } catch (error) {
      if (error instanceof Unfit) wrong += 1;
      else if (error instanceof NoSpace) {
        full = true;
        break;
      } else throw error;
    }
  }
  const said = [word("added", { models: models(added) })];
  if (twice) said.push(word("added-here", { models: models(twice) }));
  if (wrong) said.push(word("added-wrong", { models: models(wrong) }));
  if (full) said.push(word("zip-full"));
  return said.join(" ");
}
