/** The history's table, joined with the device: a thumbnail where a model is kept here, hatching with words where not. */

import { word } from "../words.js";
import { short } from "./record.js";

/** @typedef {import("./record.js").Kept} Kept */
/** @typedef {import("./shelf.js").Shelf} Shelf */

/** Addresses of thumbnails that are drawn, so that they can be let go of. @type {Map<string, string>} */
const drawn = new Map();

/** What people call a kept model: the name they gave it, or its job's number. @param {Kept} kept */
export function nameOf(kept) {
  return kept.name || word("job", { number: short(kept.job) });
}

/** A thumbnail's picture; null where there is none. @param {Kept} kept @param {Shelf} shelf */
export async function picture(kept, shelf) {
  const name = `${kept.folder} ${kept.files.thumb?.sha256 ?? ""}`;
  if (!drawn.has(name)) {
    const file = await shelf.file(kept, "thumb");
    if (!file) return null;
    drawn.set(name, URL.createObjectURL(file));
  }
  const image = document.createElement("img");
  image.alt = "";
  image.src = drawn.get(name) ?? "";
  image.addEventListener("error", () => image.remove());
  return image;
}

/**
 * @param {Kept[]} all @param {Shelf} shelf @param {string} page where a kept model is opened
 */
export async function drawRows(all, shelf, page) {
  const byJob = new Map(all.map((kept) => [kept.job, kept]));
  for (const row of document.querySelectorAll("#jobs tr[data-job]")) {
    const kept = byJob.get(row.getAttribute("data-job") ?? "");
    const [cell, said] = [row.querySelector(".here"), row.querySelector(".whose")];
    if (!cell) continue;
    if (!kept) {
      const hatch = document.createElement("span");
      hatch.className = said ? "thumbnail hatched" : "thumbnail";
      cell.replaceChildren(hatch);
      if (said) said.textContent = word("not-here");
      continue;
    }
    const link = document.createElement("a");
    link.className = "thumbnail";
    link.href = `${page}#${kept.job}`;
    link.setAttribute("aria-label", word("open-one", { name: nameOf(kept) }));
    link.append((await picture(kept, shelf)) ?? "");
    cell.replaceChildren(link);
    if (said) said.textContent = kept.name || word("here");
  }
}
