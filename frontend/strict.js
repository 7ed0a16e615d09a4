/**
 * JSON as it is signed: read strictly, so that no text has two readings, and written in its one spelling.
 *
 * JSON.parse takes the last of two equal names and rounds numbers; whoever checks a signature must not.
 */

/** Not JSON, or JSON that could be read in two ways. */
export class Malformed extends Error {}

const DEEPEST = 20;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WHOLE = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
/** Half of a character, which UTF-8 cannot write. */
const LONE = /\p{Surrogate}/u;
const SPACE = /[ \t\n\r]*/y;
/** @type {Map<string, null | boolean>} */
const WORDS = new Map([
  ["null", null],
  ["true", true],
  ["false", false],
]);

/** @typedef {null | boolean | number | string | JsonValue[] | JsonObject} JsonValue */
/** @typedef {{ [name: string]: JsonValue }} JsonObject */

/** Whether it is an object of names and values. @param {unknown} value @returns {value is JsonObject} */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether an object has these names and no others. @param {unknown} value @param {Iterable<string>} names @returns {value is JsonObject} */
export function has(value, names) {
  const wanted = new Set(names);
  return isObject(value) && Object.keys(value).length === wanted.size && Object.keys(value).every((name) => wanted.has(name));
}

/**
 * What the text says. Throws `Malformed`.
 * @param {string} text
 * @returns {JsonValue}
 */
export function parse(text) {
  let at = 0;

  /** The piece of text that matches here. @param {RegExp} pattern */
  function take(pattern) {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  }

  /** Steps over a mark, if it is there. @param {string} mark */
  function step(mark) {
    take(SPACE);
    if (text[at] !== mark) return false;
    at += 1;
    return true;
  }

  /** @returns {string} */
  function string() {
    take(SPACE);
    const found = take(STRING);
    if (found === undefined) throw new Malformed();
    const value = /** @type {string} */ (JSON.parse(found));
    if (LONE.test(value)) throw new Malformed();
    return value;
  }

  /** @param {number} depth @returns {JsonValue} */
  function value(depth) {
    if (depth > DEEPEST) throw new Malformed();
    take(SPACE);
    if (text[at] === '"') return string();
    if (step("[")) return list(depth);
    if (step("{")) return object(depth);
    for (const [word, meaning] of WORDS) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    }
    const number = Number(take(WHOLE) ?? Number.NaN);
    if (!Number.isSafeInteger(number)) throw new Malformed();
    return number === 0 ? 0 : number;
  }

  /** @param {number} depth */
  function list(depth) {
    /** @type {JsonValue[]} */
    const found = [];
    if (step("]")) return found;
    do found.push(value(depth + 1));
    while (step(","));
    if (!step("]")) throw new Malformed();
    return found;
  }

  /** @param {number} depth */
  function object(depth) {
    /** @type {JsonObject} */
    const found = Object.create(null);
    if (step("}")) return found;
    do {
      const name = string();
      if (name in found || !step(":")) throw new Malformed();
      found[name] = value(depth + 1);
    } while (step(","));
    if (!step("}")) throw new Malformed();
    return found;
  }

  const found = value(0);
  take(SPACE);
  if (at !== text.length) throw new Malformed();
  return found;
}

/** Order of Unicode's code points, in which names are sorted. @param {string} one @param {string} other */
function byCodePoint(one, other) {
  const [left, right] = [Array.from(one), Array.from(other)];
  for (let place = 0; place < Math.min(left.length, right.length); place += 1) {
    const difference = (left[place].codePointAt(0) ?? 0) - (right[place].codePointAt(0) ?? 0);
    if (difference) return difference;
  }
  return left.length - right.length;
}

/**
 * The one spelling of a value: names sorted, no white space.
 * @param {JsonValue} value
 * @returns {string}
 */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (isObject(value)) {
    const names = Object.keys(value).sort(byCodePoint);
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
