/** Reads the tags of a file, whatever part of it they stand in; in the worker, where a hostile file cannot hold up the page. */

import { DOMParser, onErrorStopParsing } from "@xmldom/xmldom";
import ExifReader from "exifreader";

import { tagsOf } from "./tags.js";

/**
 * All tags of a file, none where it cannot be read.
 * @param {Blob} file
 * @returns {Promise<import("./tags.js").Tag[]>}
 */
export async function tagsIn(file) {
  const parser = new DOMParser({ onError: onErrorStopParsing }); // workers have none of their own
  try {
    const options = { expanded: true, async: true, domParser: parser };
    const found = await ExifReader.load(await file.arrayBuffer(), /** @type {any} */ (options));
    return tagsOf(/** @type {import("./tags.js").Found} */ (/** @type {unknown} */ (found)));
  } catch {
    return []; // none, or broken in a way that nobody can read
  }
}
