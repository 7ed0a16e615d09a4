/** A GIF that loops for ever, made frame by frame with one palette. */

import { GIFEncoder, applyPalette, quantize } from "gifenc";

import { Refused } from "./glb.js";

/** The pixels of a frame, which is let go. @param {ImageBitmap} frame */
function pixelsOf(frame) {
  const context = new OffscreenCanvas(frame.width, frame.height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Refused("memory");
  context.drawImage(frame, 0, 0);
  const { data } = context.getImageData(0, 0, frame.width, frame.height);
  frame.close();
  return data;
}

/** One GIF on its way. */
export class Gif {
  /**
   * Small frames from all round tell which 256 colours are wanted; one palette for all keeps a turning thing from
   * flickering.
   * @param {ImageBitmap[]} small @param {number} delay milliseconds from frame to frame, a multiple of 10
   */
  constructor(small, delay) {
    const samples = small.map(pixelsOf);
    const together = new Uint8ClampedArray(samples.reduce((sum, sample) => sum + sample.length, 0));
    let at = 0;
    for (const sample of samples) {
      together.set(sample, at);
      at += sample.length;
    }
    this.palette = quantize(together, 256);
    this.delay = delay;
    this.encoder = GIFEncoder();
  }

  /** @param {ImageBitmap} frame */
  add(frame) {
    const { width, height } = frame;
    const index = applyPalette(pixelsOf(frame), this.palette);
    this.encoder.writeFrame(index, width, height, { palette: this.palette, delay: this.delay, repeat: 0 });
  }

  /** @returns {Blob} */
  end() {
    this.encoder.finish();
    return new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (this.encoder.bytesView())], { type: "image/gif" });
  }
}
