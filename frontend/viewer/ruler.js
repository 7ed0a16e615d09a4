/** The box around a model with its three measures: lines drawn with it, labels that stay upright and readable. */

import { BufferGeometry, Float32BufferAttribute, LineBasicMaterial, LineSegments, Vector3 } from "three";

const FEWEST_PX = 34;
const OUTWARDS_PX = 22;
const AXES = /** @type {const} */ (["x", "y", "z"]);
/** Corner n has the greater x, y, z where its bits 1, 2, 4 are set. */
const EDGES = AXES.map((_, axis) => [0, 1, 2, 3, 4, 5, 6, 7].filter((n) => !(n & (1 << axis))).map((n) => [n, n | (1 << axis)]));

/** A place on the picture, in pixels. @typedef {{x: number, y: number}} Place */

/** @param {Place} one @param {Place} other */
const apart = (one, other) => Math.hypot(one.x - other.x, one.y - other.y);

/** One model's box and measures; the labels lie in an element over the picture. */
export class Ruler {
  /** @param {import("three").Box3} box @param {HTMLElement} over */
  constructor({ min, max }, over) {
    this.corners = [0, 1, 2, 3, 4, 5, 6, 7].map(
      (n) => new Vector3(n & 1 ? max.x : min.x, n & 2 ? max.y : min.y, n & 4 ? max.z : min.z),
    );
    const points = EDGES.flat(2).flatMap((corner) => this.corners[corner].toArray());
    const geometry = new BufferGeometry().setAttribute("position", new Float32BufferAttribute(points, 3));
    this.lines = new LineSegments(geometry, new LineBasicMaterial({ transparent: true, opacity: 0.75, toneMapped: false }));
    this.lines.visible = false;
    this.labels = AXES.map(() => {
      const label = document.createElement("span");
      label.className = "measure";
      label.hidden = true;
      label.setAttribute("aria-hidden", "true"); // the same is said in the page's words
      over.append(label);
      return label;
    });
  }

  /** Shows the box with these measures, or hides it. @param {[string, string, string] | null} texts of x, y, z @param {string} ink */
  show(texts, ink) {
    this.lines.visible = texts !== null;
    this.lines.material.color.set(ink);
    for (const [axis, label] of this.labels.entries()) {
      label.textContent = texts?.[axis] ?? "";
      label.hidden = texts === null;
    }
  }

  /**
   * Lays the labels beside the edges that lie outside in the picture; one seen from its end has no room for one.
   * @param {import("three").PerspectiveCamera} camera @param {number} width @param {number} height of the picture in CSS pixels
   */
  place(camera, width, height) {
    if (!this.lines.visible) return;
    const seen = this.corners.map((corner) => {
      const { x, y } = corner.clone().project(camera);
      return { x: ((x + 1) / 2) * width, y: ((1 - y) / 2) * height };
    });
    const middle = { x: seen.reduce((sum, { x }) => sum + x, 0) / 8, y: seen.reduce((sum, { y }) => sum + y, 0) / 8 };
    for (const [axis, label] of this.labels.entries()) {
      // Of its four edges the lowest in the picture, and for the height the one farthest to the right.
      const rank = (/** @type {number[]} */ [a, b]) => (axis === 1 ? seen[a].x + seen[b].x : seen[a].y + seen[b].y);
      const [a, b] = EDGES[axis].reduce((best, edge) => (rank(edge) > rank(best) ? edge : best)).map((corner) => seen[corner]);
      label.hidden = apart(a, b) < FEWEST_PX;
      const half = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
      const far = apart(half, middle) || 1;
      const push = OUTWARDS_PX + (axis === 1 ? label.offsetWidth / 2 : 0);
      const x = half.x + ((half.x - middle.x) / far) * push;
      const y = half.y + ((half.y - middle.y) / far) * OUTWARDS_PX;
      const [wide, high] = [label.offsetWidth / 2 + 4, label.offsetHeight / 2 + 4];
      const within = (/** @type {number} */ value, /** @type {number} */ edge, /** @type {number} */ most) => Math.min(most - edge, Math.max(edge, value));
      label.style.transform = `translate(-50%, -50%) translate(${within(x, wide, width)}px, ${within(y, high, height)}px)`;
    }
  }

  /** Takes labels and lines away. */
  dispose() {
    for (const label of this.labels) label.remove();
    this.lines.geometry.dispose();
    this.lines.material.dispose();
  }
}
