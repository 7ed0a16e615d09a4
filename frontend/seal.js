/** Draws a receipt's rosette from its digest. Ornament only: the hex is printed beside it. */

const STEPS = 360;

/**
 * One closed curve: r = radius + amplitude · sin(waves · θ + phase), around the middle of a square of 100.
 * @param {number} radius
 * @param {number} amplitude
 * @param {number} waves
 * @param {number} phase
 */
function curve(radius, amplitude, waves, phase) {
  const points = [];
  for (let step = 0; step < STEPS; step += 1) {
    const angle = (step / STEPS) * 2 * Math.PI;
    const r = radius + amplitude * Math.sin(waves * angle + phase);
    points.push(`${(50 + r * Math.cos(angle)).toFixed(2)} ${(50 + r * Math.sin(angle)).toFixed(2)}`);
  }
  return `M${points.join("L")}z`;
}

/**
 * `curves` curves of one ring, turned against each other.
 * @param {number[]} ring radius, amplitude, waves, curves
 * @param {number} nibble
 */
function ring([radius, amplitude, waves, curves], nibble) {
  return Array.from({ length: curves }, (_, index) =>
    curve(radius, amplitude, waves, (2 * Math.PI * index) / curves + nibble / 5),
  ).join("");
}

/**
 * The path of a seal in a viewBox of 100.
 * @param {string} digest hex
 * @param {boolean} large
 */
export function sealPath(digest, large) {
  const d = Array.from(digest.slice(0, 8), (nibble) => Number.parseInt(nibble, 16) || 0);
  if (large) {
    const rings = [
      [38, 9, 7 + (d[0] % 6), 5],
      [25, 7, 5 + (d[1] % 4), 4],
      [14, 5, 5 + (d[0] % 6), 3],
    ];
    return rings.map((each, number) => ring(each, d[2 + number])).join("");
  }
  return ring([36, 11, 5 + (d[0] % 5), 2], d[2]) + ring([17, 8, 3 + (d[1] % 4), 2], d[2]);
}

/**
 * Draws every `<svg data-seal>` below an element.
 * @param {ParentNode} root
 */
export function drawSeals(root) {
  for (const drawing of root.querySelectorAll("svg[data-seal]")) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const digest = drawing.getAttribute("data-seal") ?? "";
    path.setAttribute("d", sealPath(digest, drawing.getAttribute("data-size") === "large"));
    drawing.replaceChildren(path);
  }
}
