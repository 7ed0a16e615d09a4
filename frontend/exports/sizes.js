/** How large a model is printed. */

/** @typedef {{ longest: number, up: "z" | "y" }} Print the longest side in millimetres, and which axis points upwards */

export const LEAST_MM = 1;
export const MOST_MM = 2000;
const USUAL_MM = 100;
/** Lengths that a model with a size of its own may have; others mean that it has none. */
const LIKELY_MM = [10, 500];

/**
 * The length to offer, in millimetres: the model's own where it can be meant, else 10 cm.
 * @param {number} metres the model's longest side
 */
export function usualLength(metres) {
  const own = Math.round(metres * 1000);
  return own >= LIKELY_MM[0] && own <= LIKELY_MM[1] ? own : USUAL_MM;
}

/**
 * How long the sides come out, in millimetres: along x, y and z of the file.
 * @param {number[]} size in metres, Y up @param {Print} print
 */
export function sides([x, y, z], { longest, up }) {
  const scale = longest / Math.max(x, y, z);
  return (up === "z" ? [x, z, y] : [x, y, z]).map((side) => side * scale);
}

/** Whether a model can be printed that long. @param {number} millimetres */
export const printable = (millimetres) => millimetres >= LEAST_MM && millimetres <= MOST_MM;
