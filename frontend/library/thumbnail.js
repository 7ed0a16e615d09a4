/** A thumbnail: a square PNG of the photo, or of the model as the viewer shows it. It is made here and stays here. */

import { THUMB } from "./record.js";

/** Draws a picture into a square, all of it, in the middle. @param {ImageBitmap | HTMLCanvasElement} picture @returns {Promise<Blob | null>} */
function drawn(picture) {
  const canvas = document.createElement("canvas");
  canvas.width = THUMB;
  canvas.height = THUMB;
  const scale = Math.max(THUMB / picture.width, THUMB / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  const pen = canvas.getContext("2d");
  if (!pen) return Promise.resolve(null);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, (THUMB - width) / 2, (THUMB - height) / 2, width, height);
  return new Promise((resolve) => {
    canvas.toBlob(resolve, "image/png");
  });
}

/** The middle of a photo; null where the browser cannot read it. @param {Blob} photo */
export async function ofPhoto(photo) {
  try {
    const picture = await createImageBitmap(photo, { resizeHeight: THUMB * 2, resizeQuality: "high" });
    const made = await drawn(picture);
    picture.close();
    return made;
  } catch {
    return null;
  }
}

/** The model as the viewer draws it; null where it cannot. @param {import("../viewer.js").Viewer} viewer */
export async function ofViewer(viewer) {
  try {
    return await drawn(viewer.frameAt(0, THUMB * 2, THUMB * 2));
  } catch {
    return null;
  }
}
