/**
 * The model in one's own room, where the device can: Quick Look takes the USDZ that is also saved, WebXR draws here. No
 * other host takes part.
 */

import { Group, Matrix4, Mesh, MeshBasicMaterial, PerspectiveCamera, RingGeometry } from "three";

import { Workshop } from "../exports/workshop.js";

/** @typedef {"quick-look" | "webxr" | ""} Means */

/** What this device has for it. @returns {Promise<Means>} */
export async function means() {
  if (document.createElement("a").relList.supports?.("ar")) return "quick-look";
  try {
    return (await navigator.xr?.isSessionSupported("immersive-ar")) ? "webxr" : "";
  } catch {
    return "";
  }
}

/**
 * The file for Quick Look, made beside the page, so that it never stands still. Rejects with `Refused`, which says why.
 * @param {Blob} file the GLB @param {string} script the address of the worker that makes files of other formats
 * @returns {Promise<Blob>} a USDZ
 */
export async function usdzOf(file, script) {
  const workshop = new Workshop(file, script);
  try {
    return await workshop.make("usdz", null);
  } finally {
    workshop.stop("over"); // its copy of the model is needed no more, and a phone has little memory
  }
}

/** Hands a USDZ to Quick Look as a file in memory. @param {Blob} usdz */
export function quickLook(usdz) {
  const url = URL.createObjectURL(usdz);
  const link = document.createElement("a");
  link.rel = "ar";
  link.href = url;
  link.download = "model.usdz"; // without a name, a blob's address is not taken for a file
  link.append(document.createElement("img")); // Quick Look opens links that hold a picture only
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * Draws the model onto the camera's picture: a ring shows where it would stand, a tap puts it there. Resolves when the
 * person is back. Rejects when the session is refused.
 * @param {import("./stage.js").Stage} stage @param {HTMLElement} over what is shown above the picture
 */
export async function enter(stage, over) {
  const { model, box, renderer, scene } = stage;
  if (!navigator.xr || !model || !box) return;
  const session = await navigator.xr.requestSession("immersive-ar", {
    requiredFeatures: ["hit-test"],
    optionalFeatures: ["dom-overlay"],
    domOverlay: { root: over },
  });
  // The session moves its camera and changes its angle: the page's stays as it is.
  const eye = new PerspectiveCamera(50, 1, 0.01, 100);
  const ring = new Mesh(new RingGeometry(0.07, 0.09, 40).rotateX(-Math.PI / 2), new MeshBasicMaterial());
  ring.matrixAutoUpdate = ring.visible = false;
  // The model's foot, not its origin, stands on the floor.
  const stand = new Group();
  const foot = new Matrix4().makeTranslation(-(box.min.x + box.max.x) / 2, -box.min.y, -(box.min.z + box.max.z) / 2);
  const [inside, ground] = [new Group(), stage.ground];
  inside.applyMatrix4(foot);
  inside.add(model);
  stand.add(inside);
  stand.visible = false;
  if (ground) ground.group.visible = false;
  scene.add(ring, stand);
  session.addEventListener("select", () => {
    if (!ring.visible) return;
    stand.position.setFromMatrixPosition(ring.matrix);
    stand.visible = true;
  });
  const ended = new Promise((resolve) => {
    session.addEventListener("end", resolve, { once: true });
  });
  try {
    renderer.xr.enabled = true;
    renderer.xr.setReferenceSpaceType("local");
    await renderer.xr.setSession(session);
    const source = await session.requestHitTestSource?.({ space: await session.requestReferenceSpace("viewer") });
    renderer.setAnimationLoop((_, frame) => {
      const space = renderer.xr.getReferenceSpace();
      const pose = source && space ? frame?.getHitTestResults(source)[0]?.getPose(space) : null;
      ring.visible = Boolean(pose);
      if (pose) ring.matrix.fromArray(pose.transform.matrix);
      renderer.render(scene, eye);
    });
    await ended;
  } finally {
    renderer.setAnimationLoop(null);
    renderer.xr.enabled = false;
    await session.end().catch(() => undefined); // it has mostly ended by itself
    ring.geometry.dispose();
    ring.material.dispose();
    scene.remove(ring, stand);
    scene.add(model);
    if (ground) ground.group.visible = true;
    stage.resize(stage.width, stage.height);
  }
}
