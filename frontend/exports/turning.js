/** One turn of the model as a GIF or a film, from any source of frames. */

import { Refused } from "./glb.js";

/** @typedef {import("./frames.js").FrameAt} FrameAt */
/** @typedef {{ suffix: "mp4" | "webm", type: string }} Film */
/**
 * A square of so many pixels; told how far it is, from 0 to 1; given up when the signal says so.
 * @typedef {{ width: number, progress: (part: number) => void, signal: AbortSignal }} How
 */

const GIF_FRAMES = 48;
const GIF_DELAY_MS = 80;
/** Frames from which a GIF's colours are chosen, and their width in pixels. */
const SAMPLES = 8;
const SAMPLE_WIDTH = 160;
const FILM_MS = 4000;
const FILM_FRAMES_A_SECOND = 30;
/** Bits a second for each pixel of a frame: about 8 Mbit/s at 1080 pixels. */
const FILM_BITS = 7;

/** What films browsers make, the most widely played first. @type {Film[]} */
const FILMS = [
  { suffix: "mp4", type: "video/mp4;codecs=avc1.640028" },
  { suffix: "mp4", type: "video/mp4;codecs=avc1.42E01E" },
  { suffix: "webm", type: "video/webm;codecs=vp9" },
  { suffix: "webm", type: "video/webm;codecs=vp8" },
];

/** The films that this browser can make, one for each suffix. @returns {Film[]} */
export function films() {
  if (!("MediaRecorder" in window) || !("captureStream" in HTMLCanvasElement.prototype)) return [];
  const able = FILMS.filter(({ type }) => MediaRecorder.isTypeSupported(type));
  return able.filter((film, place) => able.findIndex(({ suffix }) => suffix === film.suffix) === place);
}

/** A frame of one's own to give away. @param {ImageBitmap | HTMLCanvasElement} frame */
const given = (frame) => (frame instanceof ImageBitmap ? frame : createImageBitmap(frame));

/**
 * A GIF that loops without a jump.
 * @param {FrameAt} frameAt @param {import("./workshop.js").Workshop} workshop @param {How} how
 * @returns {Promise<Blob>}
 */
export async function gif(frameAt, workshop, { width, progress, signal }) {
  const small = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    small.push(await given(await frameAt(sample / SAMPLES, SAMPLE_WIDTH, SAMPLE_WIDTH)));
  }
  await workshop.gif(small, GIF_DELAY_MS);
  for (let number = 0; number < GIF_FRAMES; number++) {
    signal.throwIfAborted();
    await workshop.add(await given(await frameAt(number / GIF_FRAMES, width, width)));
    progress((number + 1) / GIF_FRAMES);
  }
  return workshop.end();
}

/**
 * A film, recorded as it is drawn: however slow the device, it turns once in four seconds, with fewer frames. While the
 * page is hidden, browsers hold it up, and the film waits.
 * @param {FrameAt} frameAt @param {Film} film @param {How} how
 * @returns {Promise<Blob>}
 */
export async function record(frameAt, film, { width, progress, signal }) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, width];
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new Refused("memory");
  const first = await given(await frameAt(0, width, width));
  context.drawImage(first, 0, 0);
  first.close();
  const stream = canvas.captureStream(FILM_FRAMES_A_SECOND);
  const recorder = new MediaRecorder(stream, { mimeType: film.type, videoBitsPerSecond: width * width * FILM_BITS });
  /** @type {Blob[]} */
  const parts = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  const ended = new Promise((resolve, reject) => {
    recorder.addEventListener("stop", resolve, { once: true });
    recorder.addEventListener("error", () => reject(new Refused("failed")), { once: true });
  });
  const hide = () => (document.hidden ? recorder.pause() : recorder.resume());
  document.addEventListener("visibilitychange", hide);
  recorder.start();
  try {
    let [passed, before] = [0, performance.now()];
    while (passed < FILM_MS) {
      signal.throwIfAborted();
      const frame = await given(await frameAt(passed / FILM_MS, width, width));
      context.drawImage(frame, 0, 0);
      frame.close();
      progress(passed / FILM_MS);
      await new Promise((resolve) => {
        window.setTimeout(resolve, 1000 / FILM_FRAMES_A_SECOND / 2);
      });
      const now = performance.now();
      if (recorder.state === "recording") passed += now - before;
      before = now;
    }
  } finally {
    document.removeEventListener("visibilitychange", hide);
    if (recorder.state !== "inactive") recorder.stop();
    for (const track of stream.getTracks()) track.stop();
  }
  await ended;
  return new Blob(parts, { type: film.type.split(";")[0] });
}
