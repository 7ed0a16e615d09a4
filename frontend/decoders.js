/** Where model-viewer finds its decoders: here, never at another host. Must be imported before the library. */

const here = new URL("./decoders/", import.meta.url).href;

/** @type {Record<string, unknown>} */ (/** @type {unknown} */ (self)).ModelViewerElement = {
  dracoDecoderLocation: `${here}draco/`,
  ktx2TranscoderLocation: `${here}basis/`,
  meshoptDecoderLocation: `${here}meshopt.js`,
  lottieLoaderLocation: `${here}none.js`,
};
