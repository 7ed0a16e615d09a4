/** The verify page: a receipt's file may be dropped on the field, or chosen; it is read here and shown before it is sent. */

import { byId } from "./page.js";

const LARGEST = 256_000;
const field = byId("id_document", HTMLTextAreaElement);

/** Puts a file's text into the field. @param {File | undefined} file */
async function read(file) {
  if (file && file.size <= LARGEST) field.value = await file.text();
}

field.addEventListener("dragover", (event) => event.preventDefault());
field.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  void read(event.dataTransfer.files[0]);
});
