/** Every way to add photos on the create page: pick, camera, drop anywhere, paste, sample. */

import { byId, show } from "../page.js";
import { word } from "../words.js";

/**
 * Hands the files that are added together to `take`; `complain` shows a sentence where a sample cannot be fetched.
 * @param {(files: File[]) => void} take
 * @param {(sentence: string) => void} complain
 */
export function choosePhotos(take, complain) {
  const input = byId("id_photo", HTMLInputElement);
  const camera = byId("camera-input", HTMLInputElement);
  const choose = byId("choose", HTMLButtonElement);
  input.multiple = true; // a form that is sent without this script carries one
  choose.addEventListener("click", () => input.click());
  if (window.matchMedia("(pointer: coarse)").matches) {
    const button = byId("camera", HTMLButtonElement);
    show(button, true);
    button.addEventListener("click", () => camera.click());
    choose.textContent = choose.dataset.phone ?? choose.textContent;
  }
  for (const source of [input, camera]) {
    source.addEventListener("change", () => {
      const files = Array.from(source.files ?? []);
      source.value = ""; // the same file may be chosen again
      if (files.length) take(files);
    });
  }
  dropAnywhere(take);
  document.addEventListener("paste", (event) => {
    const files = Array.from(event.clipboardData?.files ?? []).filter((each) => each.type.startsWith("image/"));
    if (files.length) take(files);
  });
  for (const button of document.querySelectorAll("button[data-sample]")) {
    button.addEventListener("click", async () => {
      const address = button.getAttribute("data-sample") ?? "";
      try {
        const response = await fetch(address);
        if (!response.ok) throw new Error(String(response.status));
        const picture = await response.blob();
        take([new File([picture], button.getAttribute("data-name") ?? "sample.jpg", { type: "image/jpeg" })]);
      } catch {
        complain(word("sample"));
      }
    });
  }
}

/**
 * The whole page accepts dropped files.
 * @param {(files: File[]) => void} take
 */
function dropAnywhere(take) {
  let depth = 0;
  const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  const mark = () => document.body.classList.toggle("dragging", depth > 0);
  document.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    mark();
  });
  document.addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth - 1);
    mark();
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = 0;
    mark();
    if (event.target instanceof Element && event.target.closest("[data-view]")) return; // a photo from another side
    const files = Array.from(event.dataTransfer?.files ?? []);
    if (files.length) take(files);
  });
}
