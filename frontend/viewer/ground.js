/** What a model stands on: a soft shadow under it, and the sun's where there is a sun. */

import { CanvasTexture, DirectionalLight, Group, Mesh, MeshBasicMaterial, PlaneGeometry, ShadowMaterial, Vector3 } from "three";

const SOFT_PX = 128;
const SOFT_WIDER = 1.5;
const SHADOW_PX = 1024;

/** A dark spot that fades to its edge. */
function spot() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SOFT_PX;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas");
  const fade = pen.createRadialGradient(SOFT_PX / 2, SOFT_PX / 2, 0, SOFT_PX / 2, SOFT_PX / 2, SOFT_PX / 2);
  for (const [at, strength] of [[0, 1], [0.4, 0.72], [0.7, 0.25], [1, 0]]) fade.addColorStop(at, `rgb(0 0 0 / ${strength})`);
  pen.fillStyle = fade;
  pen.fillRect(0, 0, SOFT_PX, SOFT_PX);
  return new CanvasTexture(canvas);
}

/** The ground of one model. */
export class Ground {
  /** @param {import("three").Box3} box */
  constructor(box) {
    const size = box.getSize(new Vector3());
    const middle = box.getCenter(new Vector3());
    this.reach = size.length() / 2;
    this.middle = middle;
    this.group = new Group();
    this.group.position.set(middle.x, box.min.y - this.reach * 0.004, middle.z);
    const flat = { transparent: true, depthWrite: false };
    this.soft = new Mesh(new PlaneGeometry(), new MeshBasicMaterial({ ...flat, map: spot(), opacity: 0.3, toneMapped: false }));
    this.soft.scale.set(Math.max(size.x, this.reach * 0.4) * SOFT_WIDER, Math.max(size.z, this.reach * 0.4) * SOFT_WIDER, 1);
    this.cast = new Mesh(new PlaneGeometry(this.reach * 12, this.reach * 12), new ShadowMaterial({ ...flat, opacity: 0.22 }));
    this.cast.receiveShadow = true;
    this.soft.renderOrder = this.cast.renderOrder = -1;
    this.sun = new DirectionalLight();
    this.sun.castShadow = true;
    this.sun.shadow.mapSize.setScalar(SHADOW_PX);
    this.sun.shadow.radius = 5;
    this.sun.shadow.normalBias = this.reach * 0.012;
    const { camera } = this.sun.shadow;
    camera.left = camera.bottom = -this.reach * 1.4;
    camera.right = camera.top = this.reach * 1.4;
    camera.near = this.reach;
    camera.far = this.reach * 7;
    for (const plane of [this.soft, this.cast]) plane.rotation.x = -Math.PI / 2;
    this.group.add(this.soft, this.cast);
    this.shine(null);
  }

  /** Sets the sun, or takes it away. @param {import("./lights.js").Sun | null} sun */
  shine(sun) {
    this.sun.visible = this.cast.visible = sun !== null;
    if (!sun) return;
    this.sun.color.set(sun.colour);
    this.sun.intensity = sun.strength;
    this.sun.target.position.copy(this.middle);
    this.sun.position.copy(this.middle).addScaledVector(new Vector3(...sun.from).normalize(), this.reach * 4);
  }

  /** Gives the graphics card's memory back. */
  dispose() {
    for (const plane of [this.soft, this.cast]) plane.geometry.dispose();
    this.soft.material.map?.dispose();
    this.soft.material.dispose();
    this.cast.material.dispose();
    this.sun.dispose();
  }
}
