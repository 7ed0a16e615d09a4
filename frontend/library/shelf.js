/**
 * The library of one account on this device: what is kept, under which account's key, and in what order it is written.
 *
 * A model's files come first and its row last, and the other way round when it goes; so whatever dies in between, a row
 * never promises what is not there. Accounts do not see each other's: every question names the owner.
 */

import { typeOf } from "./contents.js";
import { alone, change, look, tell } from "./database.js";
import { toRemove } from "./eviction.js";
import { place, read, remove, sweep, write } from "./files.js";
import { LONGEST_NAME, ROLES, bytesOf, sha256 } from "./record.js";

/** @typedef {import("./record.js").Described} Described */
/** @typedef {import("./record.js").Kept} Kept */
/** @typedef {import("./record.js").Kinds} Kinds */
/** @typedef {import("./record.js").Role} Role */
/** @typedef {Partial<Record<Role, Blob>> & { model: Blob }} Files */

/** There is no room for it, not even without what may go. */
export class NoSpace extends Error {
  /** @param {Kept[]} removed what went all the same, since it had seemed to be enough */
  constructor(removed = []) {
    super();
    this.removed = removed;
  }
}

/** A file is not what it has to be. */
export class Unfit extends Error {}

/** What is spared at the end of a quota for the browser's own notes. */
const MARGIN = 200_000;

/** @param {unknown} error */
function isFull(error) {
  return error instanceof DOMException && error.name === "QuotaExceededError";
}

/** So many bytes are lacking for `need` more, as far as the browser says; less than none where there is room. @param {number} need */
export async function lacking(need) {
  const { quota, usage } = await navigator.storage.estimate();
  return quota === undefined || usage === undefined ? 0 : need + MARGIN - (quota - usage);
}

/** A file's name. @param {Kept} kept @param {Role} role */
function nameOf(kept, role) {
  return `${kept.folder}.${role}`;
}

/** One account's models on this device. */
export class Shelf {
  /** @param {string[]} owners opaque names of the account: today's first, then those of retired keys of the site */
  constructor(owners) {
    this.owners = owners;
    this.owner = owners[0] ?? "";
  }

  /** All that is kept, newest first. @returns {Promise<Kept[]>} */
  async all() {
    const found = [];
    for (const owner of this.owners) {
      found.push(...(await look("kept", (store) => store.index("owner").getAll(owner), [])));
    }
    return found.sort((one, other) => other.created.localeCompare(one.created));
  }

  /** @param {string} job @returns {Promise<Kept | null>} */
  async get(job) {
    for (const owner of this.owners) {
      const found = await look("kept", (store) => store.get(`${owner}/${job}`), null);
      if (found) return found;
    }
    return null;
  }

  /** One file of a model, or null where it has none or the browser cleared it. @param {Kept} kept @param {Role} role */
  async file(kept, role) {
    const kind = kept.files[role];
    return kind ? await read(kept.place, nameOf(kept, role), kind.type) : null;
  }

  /**
   * Keeps a model; what is here already stays as it is. Throws `NoSpace`, `Unfit` or `NoStorage`; then nothing changed.
   * @param {Omit<Described, "files" | "kept" | "pinned" | "name"> & Partial<Described>} about @param {Files} files
   * @param {{ makeRoom: boolean }} how whether the oldest that are not pinned may go for it
   * @returns {Promise<{ kept: Kept, removed: Kept[] }>}
   */
  async keep(about, files, { makeRoom }) {
    return await alone(async () => {
      const here = await this.get(about.job);
      if (here && (await this.file(here, "model"))) return { kept: here, removed: [] };
      const kept = await this.#row({ ...about, ...(here && { pinned: here.pinned, name: here.name }) }, files);
      const spared = here?.key ?? kept.key;
      const removed = await this.#makeRoom(await lacking(bytesOf(kept)), spared, makeRoom);
      try {
        await this.#fill(kept, files);
      } catch (error) {
        if (!isFull(error)) throw error;
        removed.push(...(await this.#makeRoom(bytesOf(kept), spared, makeRoom)));
        await this.#fill(kept, files).catch((again) => {
          throw isFull(again) ? new NoSpace(removed) : again;
        });
      }
      if (here) await this.#drop(here, kept.key);
      tell();
      return { kept, removed };
    });
  }

  /** The row of a model that is about to be kept. @param {Parameters<Shelf["keep"]>[0]} about @param {Files} files @returns {Promise<Kept>} */
  async #row(about, files) {
    /** @type {Kinds} */
    const kinds = Object.create(null);
    for (const role of ROLES) {
      const file = files[role];
      const type = file ? await typeOf(role, file) : "";
      if (file && type) kinds[role] = { bytes: file.size, type, sha256: await sha256(file) };
    }
    const { model } = kinds;
    if (!model) throw new Unfit();
    return {
      kept: Date.now(),
      pinned: false,
      name: "",
      ...about,
      gone: false,
      files: { ...kinds, model },
      key: `${this.owner}/${about.job}`,
      owner: this.owner,
      folder: crypto.randomUUID(),
      place: await place(),
    };
  }

  /** Writes files, then the row; takes the files back if that fails. @param {Kept} kept @param {Files} files */
  async #fill(kept, files) {
    try {
      for (const role of ROLES) {
        const file = files[role];
        if (file && kept.files[role]) await write(kept.place, nameOf(kept, role), file);
      }
      await change("kept", (store) => store.put(kept));
    } catch (error) {
      for (const role of ROLES) await remove(kept.place, nameOf(kept, role)).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Removes the oldest so that so many bytes come free, and says what went. Throws `NoSpace`, with nothing removed.
   * @param {number} bytes @param {string} spared @param {boolean} may whether anything may go
   */
  async #makeRoom(bytes, spared, may) {
    if (bytes <= 0) return [];
    const going = may ? toRemove(await this.all(), bytes, spared) : null;
    if (!going) throw new NoSpace();
    for (const kept of going) await this.#drop(kept);
    return going;
  }

  /** @param {Kept} kept @param {string} [but] a row of that key stays: it is another's now */
  async #drop(kept, but) {
    if (kept.key !== but) await change("kept", (store) => store.delete(kept.key));
    for (const role of ROLES) await remove(kept.place, nameOf(kept, role));
  }

  /** Removes one. @param {string} job */
  async remove(job) {
    await alone(async () => {
      const kept = await this.get(job);
      if (kept) await this.#drop(kept);
    });
    tell();
  }

  /** Removes all of this account's; says how many that were. */
  async removeAll() {
    const count = await alone(async () => {
      const all = await this.all();
      for (const kept of all) await this.#drop(kept);
      return all.length;
    });
    tell();
    return count;
  }

  /**
   * Changes what a row says; nothing, if it has gone meanwhile.
   * @param {string} job @param {Partial<Pick<Kept, "pinned" | "name" | "gone">>} changes
   */
  async change(job, changes) {
    await alone(async () => {
      const kept = await this.get(job);
      if (!kept) return;
      const name = (changes.name ?? kept.name).trim().slice(0, LONGEST_NAME);
      await change("kept", (store) => store.put({ ...kept, ...changes, name }));
    });
    tell();
  }

  /** Adds a file to a model that is kept. @param {string} job @param {"receipt" | "thumb"} role @param {Blob} file */
  async add(job, role, file) {
    await alone(async () => {
      const kept = await this.get(job);
      const type = await typeOf(role, file);
      if (!kept || !type) return;
      await write(kept.place, nameOf(kept, role), file);
      const files = { ...kept.files, [role]: { bytes: file.size, type, sha256: await sha256(file) } };
      await change("kept", (store) => store.put({ ...kept, files }));
    });
    tell();
  }

  /** What tabs that were closed in the middle left, and rows under retired names of this account. */
  async tidy() {
    await alone(async () => {
      for (const kept of await this.all()) {
        if (kept.owner === this.owner) continue;
        const moved = { ...kept, owner: this.owner, key: `${this.owner}/${kept.job}` };
        await change("kept", (store) => store.put(moved));
        await change("kept", (store) => store.delete(kept.key));
      }
      /** @type {Kept[]} */
      const everybody = await look("kept", (store) => store.getAll(), []);
      const folders = new Set(everybody.map(({ folder }) => folder));
      await sweep((name) => folders.has(name.split(".")[0]));
    });
  }
}
