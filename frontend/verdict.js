/** Shows what the checks found: the verdict, each check by its name, and the receipt as paper. */

import { icon } from "./page.js";
import { drawSeals } from "./seal.js";
import { localise } from "./times.js";
import { word } from "./words.js";

/** @typedef {import("./proof.js").Check} Check */
/** @typedef {import("./proof.js").Judged} Judged */
/** @typedef {import("./strict.js").JsonObject} JsonObject */
/** @typedef {import("./strict.js").JsonValue} JsonValue */

const KINDS = ["upload", "source", "raw_mesh", "asset"];
const SHOWN = 12;
const ICONS = { ok: "check", failed: "cross", open: "info" };
const WORST = { failed: 0, open: 1, ok: 2 };

/**
 * An element with classes and what is in it.
 * @param {string} name @param {string} classes @param {...(Node | string)} inside
 */
function make(name, classes, ...inside) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  made.append(...inside);
  return made;
}

/** Text of a receipt, which may be anybody's. @param {JsonValue | undefined} value */
function text(value) {
  return typeof value === "string" ? value.slice(0, 80) : "";
}

/** @param {string} at ISO 8601 @param {string} as */
function time(at, as) {
  const made = make("time", "", at.slice(11, 19));
  made.setAttribute("datetime", at);
  made.setAttribute("data-as", as);
  return made;
}

/** A check as a line of the list. @param {Check} check @param {string} more */
function line(check, more) {
  const said = make("p", "", make("b", "", word(`name-${check.name}`)), ` ${word(check.word, check.values)}`);
  if (more) said.append(" ", make("code", "", more));
  return make("li", check.state === "ok" ? "" : check.state, icon(ICONS[check.state]), said);
}

/**
 * Writes the verdict and the paper into the page; as the page's own heading unless it is a part of a page.
 * @param {Judged} judged @param {HTMLElement} verdict @param {HTMLElement} paper @param {"h1" | "h2"} [heading]
 */
export function showVerdict(judged, verdict, paper, heading = "h1") {
  const failed = judged.checks.filter((check) => check.state === "failed");
  // Signed and in the log it is all the same, where only what the log became since is in doubt.
  const doubted = failed.length > 0 && failed.every((check) => check.name === "consistency");
  const forked = doubted && failed.some((check) => ["consistency-not", "consistency-shorter"].includes(check.word));
  const logged = judged.checks.some((check) => check.name === "inclusion" && check.state === "ok");
  const name = forked ? "forked" : doubted ? "doubted" : failed.length ? "fails" : "holds";
  const title = make(heading, "", word(name));
  title.tabIndex = -1;
  const ordered = [...judged.checks].sort((one, other) => WORST[one.state] - WORST[other.state]);
  const signature = judged.receipt && judged.checks.find((check) => check.name === "key" && check.state === "ok");
  verdict.replaceChildren(
    title,
    make("p", "lead", word(name === "holds" && !logged ? "signed-lead" : `${name}-lead`)),
    make("ul", "checks", ...ordered.map((check) => line(check, check.name === "key" && check.state === "ok" ? judged.keyId : ""))),
  );
  if (!failed.length) verdict.append(make("div", "note", icon("warn"), make("p", "", word("limit"))));
  verdict.append(make("p", "help", word("here")));
  paper.replaceChildren(...(signature && judged.receipt && (!failed.length || doubted) ? slip(judged, judged.receipt) : voidSlip(judged)));
  drawSeals(paper);
  localise(paper);
  if (heading === "h1") document.title = document.title.replace(/^.* · /, `${word(name)} · `);
  title.focus();
}

/** A slip that is worth nothing. @param {Judged} judged */
function voidSlip(judged) {
  const head = make("p", "heading", make("span", "", word("receipt")), make("span", "", number(judged.receipt)));
  const lines = make("dl", "lines");
  for (const check of judged.checks) {
    lines.append(make("div", "", make("dt", "", word(`name-${check.name}`)), make("dd", "", word(`line-${check.state}`))));
  }
  const stamp = make("div", "stamp-row", make("div", "stamp void", word("void")));
  return [make("div", "slip void", make("div", "paper", make("div", "part", head), make("div", "part", lines, stamp)))];
}

/** @param {JsonObject | null} receipt */
function number(receipt) {
  return receipt ? `R-${text(receipt.id).slice(0, 8)}` : "";
}

/** The receipt as paper, with its seal. @param {Judged} judged @param {JsonObject} receipt */
function slip(judged, receipt) {
  const issued = text(receipt.issued_at);
  const job = text(receipt.job);
  const lines = [...destroyed(receipt), ...kept(receipt), ...elsewhere(receipt)];
  const unknown = lines.some((each) => each.classList.contains("unknown"));
  const head = make("p", "heading", make("span", "", word("receipt")), make("span", "", number(receipt)));
  const about = make("p", "", time(issued, "date"), ` · ${word(erased(receipt) ? "erasure" : "job")} ${job.slice(0, 4)}-${job.slice(4, 8)}`);
  const small = seal(judged.digest, "seal");
  const said = make("span", "", make("span", "verb", word("stamp")));
  said.append(make("span", "when", `${word("signed")} `, time(issued, "clock")));
  const stamp = make("div", unknown ? "stamp partly" : "stamp", small, said);
  const print = (judged.digest.match(/.{4}/g) ?? []).join(" ");
  const parts = [
    make("div", "part", head, about, seal(judged.digest, "seal large"), make("p", "centred", word("drawn", { hex: print.slice(0, 14) }))),
    make("div", "part", make("dl", "lines", ...lines.slice(0, SHOWN))),
    make(
      "div",
      "part",
      make("div", "stamp-row", stamp),
      make("p", "fingerprint tiny", `${word("signed")} ed25519 · ${word("key")} ${judged.keyId}`, make("br", ""), `sha256 ${print}`),
      make("p", "tiny limits-said", word("not-proven")),
    ),
  ];
  return [make("div", "slot"), make("div", "slip receipt hanging", make("div", "paper", ...parts))];
}

/** @param {string} digest @param {string} classes */
function seal(digest, classes) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const facts = { class: classes, viewBox: "0 0 100 100", "data-seal": digest, "aria-hidden": "true" };
  for (const [name, value] of Object.entries(facts)) drawing.setAttribute(name, value);
  if (classes.includes("large")) drawing.setAttribute("data-size", "large");
  return drawing;
}

/** A line of the slip. @param {string} label @param {string} said @param {string} [at] @param {boolean} [known] @param {string} [as] */
function entry(label, said, at = "", known = true, as = "clock") {
  const value = make("dd", "", said);
  if (at) value.append(" ", time(at, as));
  return make("div", known ? "" : "unknown", make("dt", "", label), value);
}

/** Whether it is the certificate of an erasure, whose lines are tables. @param {JsonObject} receipt */
function erased(receipt) {
  return receipt.format === "modelmyimage-erasure/1";
}

/** What a certificate says is kept. @param {JsonObject} receipt */
function kept(receipt) {
  const lines = erased(receipt) ? /** @type {JsonObject[]} */ (receipt.kept) : [];
  return lines.map((line) => entry(`${text(line.kind) || word("unnamed")}, ${Number(line.rows) || 0}`, word("stays"), "", false));
}

/** @param {JsonObject} receipt */
function destroyed(receipt) {
  const blobs = /** @type {JsonObject[]} */ (receipt.destroyed);
  const kinds = [...new Set(blobs.map((blob) => text(blob.kind)))];
  kinds.sort((one, other) => KINDS.indexOf(one) - KINDS.indexOf(other));
  const lines = kinds.map((kind) => {
    const found = blobs.filter((blob) => text(blob.kind) === kind);
    const known = KINDS.includes(kind) ? word(kind === "source" && found.length > 1 ? "sources" : kind) : kind;
    const rows = found.length === 1 && Number.isSafeInteger(found[0].rows) ? Number(found[0].rows) : found.length;
    const label = (known || word("unnamed")) + (rows > 1 ? `, ${rows}` : "");
    const moments = found.map((blob) => text(blob.destroyed_at));
    if (moments.some((at) => Number.isNaN(Date.parse(at)))) return entry(label, word("unknown"), "", false);
    return entry(label, word("gone"), moments.sort().at(-1));
  });
  if (blobs.length && !erased(receipt)) {
    const dropped = blobs.every(({ observed }) => observed && typeof observed === "object" && "key" in observed && observed.key === "absent");
    lines.push(entry(`${word("keys")}, ${blobs.length}`, word(dropped ? "dropped" : "unknown"), "", dropped));
  }
  return lines;
}

/** @param {JsonObject} receipt */
function elsewhere(receipt) {
  const lines = [];
  for (const attempt of /** @type {JsonObject[]} */ (receipt.elsewhere)) {
    const label = word("copy-at", { provider: text(attempt.provider) });
    const [result, at, until] = [text(attempt.result), text(attempt.at), text(attempt.until)];
    if (result === "nothing_kept") continue;
    if (result === "erased") lines.push(entry(label, word("erased"), at));
    else if (result === "expires" && !Number.isNaN(Date.parse(until))) lines.push(entry(label, word("until"), until, false, "dated"));
    else if (result === "swept" || result === "unsupported") lines.push(entry(label, word(result), "", false));
    else lines.push(entry(label, word("unknown"), "", false));
  }
  return lines.length ? lines : [entry(word("copies-elsewhere"), word("none"))];
}
