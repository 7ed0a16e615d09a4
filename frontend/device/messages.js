/** What page and worker say to each other. Types only. */

/** @typedef {import("./sizes.js").Shape} Shape */
/** @typedef {import("./tags.js").Tag} Tag */
/** @typedef {{blob: Blob, width: number, height: number}} Written */

/**
 * What can be asked of the worker, and what it answers. A picture that was drawn has a key; the worker keeps the last few.
 * @typedef {object} Tasks
 * @property {[{file: Blob}, Tag[]]} tags
 * @property {[{file: Blob, shape: Shape}, {key: number, clear: boolean, transparent: boolean}]} draw `clear`: so much of
 *   it is see-through that it shows what its subject is; `transparent`: something is
 * @property {[{key: number, transparent: boolean}, Written]} write
 * @property {[{weights: string, integrity: string}, null]} load
 * @property {[{key: number, edge: number, all: boolean}, Written]} cut
 */

export {};
