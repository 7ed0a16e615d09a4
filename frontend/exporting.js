/** The panel of other formats, loaded when it is first opened; the page tells it where the worker's script lies. */

export { Panel } from "./exports/panel.js";
