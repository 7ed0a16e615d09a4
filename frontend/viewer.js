/** Shows a GLB that lies in this tab's memory; loaded only when there is one. */

import "./decoders.js";
import { ModelViewerElement } from "@google/model-viewer";

const ARRIVAL_TURN = "-20deg 76deg auto";
const FRONT = "0deg 76deg auto";

/**
 * A viewer of the file behind `url`, not yet on the page.
 * @param {string} url a blob: address
 * @param {string} alt
 */
export function viewer(url, alt) {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const element = new ModelViewerElement();
  element.alt = alt;
  element.cameraControls = true;
  element.touchAction = /** @type {any} */ ("pan-y");
  element.interactionPrompt = /** @type {any} */ ("none");
  element.shadowIntensity = 0.9;
  element.shadowSoftness = 0.9;
  element.exposure = 1.05;
  element.cameraOrbit = still ? FRONT : ARRIVAL_TURN;
  element.interpolationDecay = still ? 1 : 160;
  element.addEventListener(
    "load",
    () => {
      // Its buttons for augmented reality are never shown here; they must not take part in the tab order either.
      for (const button of element.shadowRoot?.querySelectorAll("[id*='-ar-button']") ?? []) {
        button.setAttribute("tabindex", "-1");
      }
      element.cameraOrbit = FRONT;
    },
    { once: true },
  );
  element.src = url;
  return element;
}

/**
 * Turns the model's front towards us again.
 * @param {InstanceType<typeof ModelViewerElement>} element
 */
export function reset(element) {
  element.cameraTarget = "auto auto auto";
  element.fieldOfView = "auto";
  element.cameraOrbit = "auto auto auto";
  requestAnimationFrame(() => {
    element.cameraOrbit = FRONT;
  });
}
