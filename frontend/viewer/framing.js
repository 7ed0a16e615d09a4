/** How far the camera stands off, so that a model fills its part of the picture and leaves it from no side. */

import { Vector3 } from "three";

/** The front view: a little from above, as one looks at a thing on a table. */
export const FRONT = { turn: 0, tilt: (14 * Math.PI) / 180 };
/** Of the picture's width or height, from the front; and at the widest, from any side. */
const FILLED = 0.7;
const WIDEST = 0.9;
const STEPS = 16;

/** The direction from the middle to the camera. @param {number} turn @param {number} tilt in radians */
export function direction(turn, tilt) {
  return new Vector3(Math.sin(turn) * Math.cos(tilt), Math.sin(tilt), Math.cos(turn) * Math.cos(tilt));
}

/** @param {import("three").Box3} box @returns {Vector3[]} */
function corners({ min, max }) {
  return [0, 1, 2, 3, 4, 5, 6, 7].map((n) => new Vector3(n & 1 ? max.x : min.x, n & 2 ? max.y : min.y, n & 4 ? max.z : min.z));
}

/**
 * The distance from the box's middle at which the camera sees all of it.
 * @param {import("three").Box3} box
 * @param {number} slope tangent of half the vertical angle of view
 * @param {number} aspect width by height of the picture
 * @returns {number} in the box's unit
 */
export function distance(box, slope, aspect) {
  const middle = box.getCenter(new Vector3());
  const points = corners(box).map((corner) => corner.sub(middle));
  let farthest = 0;
  for (let step = 0; step < STEPS; step += 1) {
    const out = direction(FRONT.turn + (step / STEPS) * 2 * Math.PI, FRONT.tilt);
    const right = new Vector3(0, 1, 0).cross(out).normalize();
    const up = out.clone().cross(right);
    const part = step === 0 ? FILLED : WIDEST;
    for (const point of points) {
      const wide = Math.abs(point.dot(right)) / (slope * aspect);
      const high = Math.abs(point.dot(up)) / slope;
      farthest = Math.max(farthest, Math.max(wide, high) / part + point.dot(out));
    }
  }
  return farthest;
}
