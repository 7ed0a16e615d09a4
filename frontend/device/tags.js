/** What a photo's file says beside its pixels, as a short list for people: what kind of thing each tag gives away. */

/**
 * @typedef {object} Tag
 * @property {"place" | "camera" | "time" | "person" | "program" | "other"} group
 * @property {string} name as the format calls it
 * @property {string} value
 */
/** @typedef {Record<string, Record<string, unknown> | undefined>} Found tags by the part of the file they stand in */

/** Parts of the file that describe how its pixels are stored, and repetitions of other parts. */
const STORAGE = new Set(["file", "jfif", "pngFile", "png", "riff", "gif", "composite"]);
/** Entries that are there because the format wants them. */
const FRAME = /^(.*IFD Pointer|_raw|about|JPEGInterchangeFormat(Length)?)$/;
/** Of a colour profile, its name says it all. */
const PROFILE = /^ICC Description$/;

/** The first that matches a tag's name says what it gives away. @type {[Tag["group"], RegExp][]} */
const GROUPS = [
  ["time", /date|(?<!exposure ?)time(?!r)|subsec|offset/i],
  ["place", /^gps|latitude|longitude|altitude|city|country|province|state$|location|sublocation|place|region.?name/i],
  ["person", /artist|author|byline|by-line|creator(?!tool)|owner|copyright|rights|credit|photographer|person|writer|contact|e-?mail|phone|identity/i],
  ["program", /software|tool|program|history|document.?id|instance.?id|derived|xmptk|toolkit|version|preset|raw.?file.?name|generator|credential|jumb/i],
  ["camera", /make|model|serial|lens|camera|exposure|aperture|f.?number|shutter|iso|photographic|flash|focal|meter|light|white.?balance|gain|contrast|saturation|sharpness|scene|subject|sensing|zoom|maker|body|firmware|motion|burst|hdr|host/i],
];
/** Long enough to recognise a text by. */
const MOST_LETTERS = 200;
/** A file made to have more is told of in part. */
const MOST_TAGS = 2000;

/**
 * All tags, each once, what gives most away first.
 * @param {Found} found as exifreader gives them, expanded
 * @returns {Tag[]}
 */
export function tagsOf(found) {
  /** @type {Map<string, Tag>} */
  const tags = new Map();
  for (const [part, entries] of Object.entries(found)) {
    if (STORAGE.has(part) || !entries || typeof entries !== "object") continue;
    if (part === "Thumbnail") tags.set("Thumbnail", { group: "other", name: "Thumbnail", value: "" });
    else {
      for (const [name, entry] of Object.entries(entries)) {
        if (part !== "pngText" || !(name in (found.pngFile ?? {}))) add(tags, part, name, entry);
      }
    }
    if (tags.size >= MOST_TAGS) break;
  }
  const order = ["place", "person", "camera", "time", "program", "other"];
  return [...tags.values()].sort((one, other) => order.indexOf(one.group) - order.indexOf(other.group));
}

/** @param {Map<string, Tag>} tags @param {string} part @param {string} name @param {unknown} entry */
function add(tags, part, name, entry) {
  if (tags.size >= MOST_TAGS || FRAME.test(name) || (part === "icc" && !PROFILE.test(name))) return;
  const label = plain(part === "gps" ? `GPS${name}` : name);
  const value = plain(text(entry));
  // A text of no letters says nothing; the same tag may stand in several parts.
  const same = tags.get(label);
  if (same && (same.value === value || value === "")) return;
  tags.set(same ? `${label} ${part}` : label, { group: part === "makerNotes" ? "camera" : groupOf(label), name: label, value });
}

/** What a tag of this name gives away. @param {string} name */
export function groupOf(name) {
  return GROUPS.find(([, pattern]) => pattern.test(name))?.[0] ?? "other";
}

/** @param {unknown} entry */
function text(entry) {
  const said = entry !== null && typeof entry === "object" && "description" in entry ? entry.description : entry;
  return typeof said === "string" || typeof said === "number" ? String(said) : "";
}

/** On one line, without signs that steer a display, and not too long. @param {string} value */
function plain(value) {
  const line = value.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\s]+/gu, " ").trim();
  return line.length > MOST_LETTERS ? `${line.slice(0, MOST_LETTERS - 1)}…` : line;
}
