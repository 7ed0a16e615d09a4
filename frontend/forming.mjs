/**
 * Draws the object that forms on the job page: a cup on a saucer, once as clay and once as wire, as SVG symbols.
 *
 * Plain projection and the painter's algorithm; the colours are classes or properties of the page's own style.
 */

const TILT = 0.42; // radians, how far we look down
const TURNS = 36; // columns of a turned surface
const SHADES = 32; // the style defines --clay-0 to --clay-31

/** @typedef {{points: number[][], depth: number, light: number}} Face */

/** Screen x, y and depth of a point of space (y up). */
function project(/** @type {number[]} */ [x, y, z]) {
  const sin = Math.sin(TILT);
  const cos = Math.cos(TILT);
  return [x, z * sin - y * cos, z * cos + y * sin];
}

/** The faces of a profile (radius, height) turned around the upright axis; `inward` for an inner wall. */
function turned(/** @type {number[][]} */ profile) {
  const rows = profile.map(([radius, height]) =>
    Array.from({ length: TURNS }, (_, turn) => {
      const angle = (turn / TURNS) * 2 * Math.PI;
      return [radius * Math.cos(angle), height, radius * Math.sin(angle)];
    }),
  );
  return grid(rows, true);
}

/** The faces of a tube of `radius` along a path of points in the x-y plane. */
function tube(/** @type {number[][]} */ path, /** @type {number} */ radius) {
  const rows = path.map(([x, y], index) => {
    const [ax, ay] = path[Math.max(0, index - 1)];
    const [bx, by] = path[Math.min(path.length - 1, index + 1)];
    const length = Math.hypot(bx - ax, by - ay);
    const [nx, ny] = [-(by - ay) / length, (bx - ax) / length];
    return Array.from({ length: 10 }, (_, turn) => {
      const angle = (turn / 10) * 2 * Math.PI;
      const out = radius * Math.cos(angle);
      return [x + nx * out, y + ny * out, radius * Math.sin(angle)];
    });
  });
  return grid(rows, true);
}

/** Faces between neighbouring rows of points, those that look at us only. */
function grid(/** @type {number[][][]} */ rows, /** @type {boolean} */ closed) {
  /** @type {Face[]} */
  const faces = [];
  for (let row = 0; row + 1 < rows.length; row += 1) {
    const count = rows[row].length;
    for (let column = 0; column < (closed ? count : count - 1); column += 1) {
      const next = (column + 1) % count;
      const corners = [rows[row][column], rows[row][next], rows[row + 1][next], rows[row + 1][column]];
      const screen = corners.map(project);
      const [a, b, , d] = corners;
      const u = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
      const v = [d[0] - a[0], d[1] - a[1], d[2] - a[2]];
      let normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      const size = Math.hypot(...normal) || 1;
      const towards = normal[2] * Math.cos(TILT) + normal[1] * Math.sin(TILT) < 0 ? -1 : 1;
      normal = normal.map((part) => (towards * part) / size);
      const area = screen.reduce((sum, [x, y], index) => {
        const [nx, ny] = screen[(index + 1) % 4];
        return sum + x * ny - nx * y;
      }, 0);
      if (area <= 0.0005) continue;
      const light = 0.42 + 0.34 * normal[1] - 0.26 * normal[0] + 0.3 * normal[2];
      faces.push({ points: screen, depth: screen.reduce((sum, point) => sum + point[2], 0) / 4, light });
    }
  }
  return faces;
}

/** A smooth row of points between two, `steps` long. */
function along(/** @type {number} */ steps, /** @type {(part: number) => number[]} */ at) {
  return Array.from({ length: steps + 1 }, (_, index) => at(index / steps));
}

/** The drawings as SVG files: both, as the symbols `clay` and `wire`, and the wire alone for pages that need no more. */
export function forming() {
  const saucer = [[0.6, 0.1], [1.1, 0.13], [1.5, 0.2], [1.9, 0.31], [2.14, 0.4], [2.16, 0.43], [2.12, 0.44], [1.8, 0.36], [1.3, 0.25], [0.9, 0.2], [0.02, 0.2]];
  const wall = [[0.55, 0.2], [0.62, 0.34], ...along(8, (part) => [0.62 + 0.66 * Math.sin((part * Math.PI) / 2), 0.36 + 1.44 * part ** 1.3])];
  const rim = [[1.28, 1.8], [1.25, 1.84], [1.2, 1.82]];
  const inside = along(7, (part) => [1.2 - 0.62 * part ** 2.2, 1.82 - 1.1 * part]);
  const tea = [[1.02, 1.36], [0.7, 1.36], [0.35, 1.36], [0.02, 1.36]];
  const handle = along(12, (part) => {
    const angle = -1.95 + part * 3.45;
    return [1.1 + 0.62 * Math.cos(angle), 1.14 + 0.5 * Math.sin(angle)];
  });
  const cup = [...turned(wall), ...turned(rim), ...turned(inside), ...turned(tea), ...tube(handle, 0.105)];
  /** Furthest first. */
  const order = (/** @type {Face[]} */ faces) => faces.sort((one, other) => one.depth - other.depth);
  const faces = [...order(turned(saucer)), ...order(cup)];

  const place = (/** @type {number[]} */ [x, y]) => [200 + x * 88, 205 + y * 88];
  const outline = (/** @type {Face} */ face) =>
    `M${face.points.map((point) => place(point).map((value) => value.toFixed(1)).join(" ")).join("L")}z`;
  /** In whole numbers, from each corner to the next: an eighth fewer bytes on the first page. */
  const roughly = (/** @type {Face} */ face) => {
    const [first, ...others] = face.points.map((point) => place(point).map(Math.round));
    const steps = others.map(([x, y], index) => {
      const [left, top] = index ? others[index - 1] : first;
      return `${x - left} ${y - top}`;
    });
    return `M${first.join(" ")}l${steps.join(" ").replaceAll(" -", "-")}z`;
  };
  const clay = faces.map((face) => {
    const shade = `var(--clay-${Math.max(0, Math.min(SHADES - 1, Math.round(face.light * SHADES)))})`;
    return `<path fill="${shade}" stroke="${shade}" d="${outline(face)}"/>`;
  });
  const wire = faces.map((face) => `<path d="${outline(face)}"/>`);
  /** Shown small, so whole numbers do. */
  const rough = faces.map((face) => `<path d="${roughly(face)}"/>`);
  const symbol = (/** @type {string} */ id, /** @type {string[]} */ paths) =>
    `<symbol id="${id}" viewBox="0 0 400 330">${paths.join("")}</symbol>\n`;
  const file = (/** @type {string} */ symbols) =>
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 330">\n${symbols}</svg>\n`;
  return { both: file(symbol("clay", clay) + symbol("wire", wire)), wire: file(symbol("wire", rough)) };
}
