/**
 * The picture: a model, its light, its ground and a camera that goes round it. It is drawn anew only when something
 * changed, so that a page with a model that rests costs nothing.
 */

import { Group, Mesh, NeutralToneMapping, PerspectiveCamera, Scene, Vector3, WebGLRenderer } from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";

import { FRONT, direction, distance } from "./framing.js";
import { Unviewable } from "./glb.js";
import { Ground } from "./ground.js";
import { Lights } from "./lights.js";
import { Wardrobe } from "./looks.js";
import { Ruler } from "./ruler.js";

/** @typedef {import("./camera.js").View} View */

const ANGLE = 28;
const SLOPE = Math.tan((ANGLE * Math.PI) / 360);
const SHARPEST = 2;
const NEAREST = 0.12;
const FARTHEST = 3;
const POLE = 0.02;
const TURN_SECONDS = 14;

/** @param {number} part 0 to 1 */
const ease = (part) => 1 - (1 - part) ** 3;

/** The drawing of one model on one canvas. Throws `Unviewable("no-webgl")` where nothing can be drawn. */
export class Stage {
  /** @param {HTMLCanvasElement} canvas @param {boolean} still nothing moves by itself */
  constructor(canvas, still) {
    this.canvas = canvas;
    this.still = still;
    try {
      this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
    } catch {
      throw new Unviewable("no-webgl");
    }
    this.renderer.toneMapping = NeutralToneMapping;
    this.renderer.shadowMap.enabled = true;
    this.lights = new Lights(this.renderer);
    this.scene = new Scene();
    this.camera = new PerspectiveCamera(ANGLE, 1, 0.01, 100);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = !still;
    this.controls.dampingFactor = 0.12;
    this.controls.minPolarAngle = POLE;
    this.controls.maxPolarAngle = Math.PI - POLE;
    this.controls.autoRotateSpeed = -60 / TURN_SECONDS;
    this.controls.addEventListener("change", () => this.draw());
    this.controls.addEventListener("start", () => {
      this.move = null; // a hand on it wins
    });
    canvas.style.touchAction = "pan-y"; // a page is scrolled over the picture; sideways and two fingers are ours
    this.fit = 1;
    this.width = this.height = this.lift = 0;
    this.wired = false;
    this.due = 0;
    this.drawnAt = 0;
    /** A move of the camera that is under way. @type {{from: View, to: View, start: Vector3, target: Vector3, since: number, ms: number} | null} */
    this.move = null;
    /** Called after a drawing that no other follows of itself. @type {() => void} */
    this.onrest = () => {};
  }

  /** Sets the model up. @param {import("./opening.js").Opened} opened @param {HTMLElement} over for labels */
  show(opened, over) {
    const { scene, box } = opened;
    this.box = box;
    this.middle = box.getCenter(new Vector3());
    this.reach = box.getSize(new Vector3()).length() / 2;
    // A copy that shares its geometry: what is dressed here stays as it came for whoever exports it.
    this.model = scene.clone();
    this.model.traverse((object) => {
      object.castShadow = object.receiveShadow = true;
      object.frustumCulled = false;
    });
    this.wardrobe = new Wardrobe(this.model);
    this.ground = new Ground(box);
    this.ruler = new Ruler(box, over);
    const { sun } = this.ground;
    this.scene.add(this.model, this.ground.group, sun, sun.target, this.ruler.lines);
    this.resize(this.width, this.height);
    this.place({ ...FRONT, zoom: 1 });
  }

  /**
   * Fits the picture to its element, the model staying as large in it as it was.
   * @param {number} width @param {number} height in CSS pixels @param {number} [lift] of the model above the middle
   */
  resize(width, height, lift = this.lift) {
    if (width < 1 || height < 1) return;
    this.lift = lift;
    const view = this.view();
    this.width = width;
    this.height = height;
    this.renderer.setPixelRatio(Math.min(SHARPEST, window.devicePixelRatio));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.setViewOffset(width, height, 0, lift, width, height);
    if (!this.box) return;
    this.fit = distance(this.box, SLOPE, this.camera.aspect);
    this.controls.minDistance = this.fit * NEAREST;
    this.controls.maxDistance = this.fit * FARTHEST;
    this.place(view, this.controls.target);
    this.paint();
  }

  /** Where one looks from. @returns {View} */
  view() {
    const { controls, fit } = this;
    return { turn: controls.getAzimuthalAngle(), tilt: Math.PI / 2 - controls.getPolarAngle(), zoom: fit / controls.getDistance() };
  }

  /** Puts the camera there. @param {View} view @param {Vector3} [target] */
  place({ turn, tilt, zoom }, target = this.middle ?? new Vector3()) {
    this.controls.target.copy(target);
    this.camera.position.copy(target).addScaledVector(direction(turn, tilt), this.fit / zoom);
    this.controls.update();
    this.draw();
  }

  /** Moves the camera there; at once where nothing may move. @param {View} to @param {Vector3} [target] @param {number} [ms] */
  glide(to, target = this.middle ?? new Vector3(), ms = 500) {
    if (this.still) return this.place(to, target);
    const from = this.view();
    // The shorter way round.
    from.turn = to.turn + Math.atan2(Math.sin(from.turn - to.turn), Math.cos(from.turn - to.turn));
    this.move = { from, to, start: this.controls.target.clone(), target, since: performance.now(), ms };
    this.draw();
  }

  /** Moves on from where the camera is, or is going to. @param {Partial<View>} by turn and tilt in radians, zoom as a factor */
  nudge({ turn = 0, tilt = 0, zoom = 1 }) {
    const now = this.move?.to ?? this.view();
    const steepest = Math.PI / 2 - POLE;
    const to = {
      turn: now.turn + turn,
      tilt: Math.max(-steepest, Math.min(steepest, now.tilt + tilt)),
      zoom: Math.max(1 / FARTHEST, Math.min(1 / NEAREST, now.zoom * zoom)),
    };
    this.glide(to, this.move?.target ?? this.controls.target.clone(), 180);
    return to;
  }

  /** @param {boolean} on */
  turning(on) {
    this.controls.autoRotate = on;
    this.draw();
  }

  /** @param {import("./lights.js").Light} light */
  light(light) {
    const { texture, strength, exposure, sun } = this.lights.get(light);
    this.scene.environment = texture;
    this.scene.environmentIntensity = strength;
    this.renderer.toneMappingExposure = exposure;
    this.ground?.shine(sun);
    this.draw();
  }

  /** @param {import("./looks.js").Look} look @param {{ink: string, sheet: string}} colours */
  wear(look, colours) {
    this.wired = look === "wire";
    this.wardrobe?.wear(look, colours);
    this.draw();
  }

  /** Asks for a drawing with the next frame. */
  draw() {
    this.due ||= requestAnimationFrame((now) => this.frame(now));
  }

  /** @param {number} now in ms */
  frame(now) {
    this.due = 0;
    const seconds = Math.min(0.1, (now - this.drawnAt) / 1000);
    this.drawnAt = now;
    const { move } = this;
    if (move) {
      const part = Math.max(0, Math.min(1, (now - move.since) / move.ms));
      const mix = (/** @type {keyof View} */ of) => move.from[of] + (move.to[of] - move.from[of]) * ease(part);
      this.place({ turn: mix("turn"), tilt: mix("tilt"), zoom: mix("zoom") }, move.start.clone().lerp(move.target, ease(part)));
      if (part === 1) this.move = null;
    } else {
      this.controls.update(seconds);
    }
    this.paint();
    if (this.move || this.controls.autoRotate) this.draw();
    else this.onrest();
  }

  /** Draws now. @param {number} [width] @param {number} [height] of the labels' picture */
  paint(width = this.width, height = this.height) {
    const { camera, controls, renderer, scene, reach = 1 } = this;
    if (!scene.environment || renderer.getContext().isContextLost()) return;
    const away = controls.getDistance() + controls.target.distanceTo(this.middle ?? controls.target);
    camera.near = Math.max(away - reach * 8, away / 400, reach / 1000);
    camera.far = away + reach * 8;
    camera.updateProjectionMatrix();
    renderer.render(scene, camera);
    if (this.wired) this.paintWire();
    this.ruler?.place(camera, width, height);
  }

  /** The mesh's lines over the faces that hide those behind. */
  paintWire() {
    const { ground, renderer, ruler, scene, wardrobe } = this;
    if (!ground || !ruler || !wardrobe) return;
    const measured = ruler.lines.visible;
    ground.group.visible = ruler.lines.visible = false;
    scene.overrideMaterial = wardrobe.wire;
    renderer.autoClear = false;
    renderer.render(scene, this.camera);
    renderer.autoClear = true;
    scene.overrideMaterial = null;
    ground.group.visible = true;
    ruler.lines.visible = measured;
  }

  /**
   * A picture of another size, taken between two drawings.
   * @param {number} width @param {number} height in pixels @param {View} view @param {Vector3} [target]
   * @returns {HTMLCanvasElement} with a transparent ground
   */
  picture(width, height, view, target) {
    const before = { view: this.view(), target: this.controls.target.clone(), width: this.width, height: this.height };
    const { autoRotate, enableDamping } = this.controls;
    const measured = this.ruler?.lines.visible ?? false;
    this.controls.autoRotate = this.controls.enableDamping = false;
    if (this.ruler) this.ruler.lines.visible = false; // its labels are not in the picture
    const paper = document.createElement("canvas");
    paper.width = width;
    paper.height = height;
    this.renderer.setPixelRatio(1);
    this.renderer.setSize(width, height, false);
    this.camera.clearViewOffset();
    this.camera.aspect = width / height;
    const fit = this.fit;
    if (this.box) this.fit = distance(this.box, SLOPE, this.camera.aspect);
    this.controls.maxDistance = Infinity;
    this.place(view, target);
    this.paint(before.width, before.height);
    paper.getContext("2d")?.drawImage(this.canvas, 0, 0);
    this.fit = fit;
    if (this.ruler) this.ruler.lines.visible = measured;
    this.controls.target.copy(before.target);
    this.place(before.view, before.target);
    Object.assign(this.controls, { autoRotate, enableDamping });
    this.resize(before.width, before.height);
    return paper;
  }

  /** After the graphics card came back with nothing in it. @param {import("./lights.js").Light} light */
  recover(light) {
    this.lights.forget();
    this.light(light);
  }

  /** Gives back everything. */
  dispose() {
    cancelAnimationFrame(this.due);
    this.onrest = () => {};
    this.controls.dispose();
    this.wardrobe?.dispose();
    this.ground?.dispose();
    this.ruler?.dispose();
    this.lights.forget();
    this.model?.traverse((object) => {
      if (object instanceof Mesh) object.geometry.dispose();
    });
    this.scene.clear();
    this.renderer.dispose();
    this.model = new Group();
  }
}
