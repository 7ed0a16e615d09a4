/** Buttons `<button data-copy="id" data-copied="Copied" hidden>` copy a field's value; without scripts there are none. */

export function offerCopies() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    if (!(button instanceof HTMLButtonElement)) continue;
    const field = document.getElementById(button.dataset.copy ?? "");
    if (!(field instanceof HTMLInputElement) || !navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(field.value);
        button.textContent = button.dataset.copied ?? "";
      } catch {
        field.select(); // the browser does not let us: then it is one key press
      }
    });
  }
}
