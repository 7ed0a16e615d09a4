/** Buttons `<button data-copy="id" data-copied="Copied" hidden>` copy a field's value, or the text of what is no field; without
 * scripts there are none. */

export function offerCopies() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    if (button instanceof HTMLButtonElement) offerCopy(button);
  }
}

/**
 * Shows one such button and has it copy.
 * @param {HTMLButtonElement} button
 */
export function offerCopy(button) {
  const source = document.getElementById(button.dataset.copy ?? "");
  if (!source || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source instanceof HTMLInputElement ? source.value : (source.textContent ?? ""));
      button.textContent = button.dataset.copied ?? "";
    } catch {
      // The browser does not let us: then it is one key press.
      if (source instanceof HTMLInputElement) source.select();
      else window.getSelection()?.selectAllChildren(source);
    }
  });
}
