/**
 * A picture of a model comes alive when the person asks for it: by its button, or on the picture itself. Only then the viewer
 * and the model are loaded, which weigh more than the rest of the page; if that fails, the picture stays and a sentence says
 * why.
 */

import { announce, show } from "./page.js";
import { word } from "./words.js";

/**
 * Has the model in `stage` come alive. The stage says where things are: `data-viewer`, `data-model`, `data-label`.
 * @param {HTMLElement} stage @param {HTMLButtonElement} button that asks for it
 */
export function enliven(stage, button) {
  const picture = stage.querySelector("img.object");
  const hint = stage.querySelector(".hint");
  const label = Array.from(button.childNodes, (node) => node.cloneNode(true));
  let begun = false;

  /** @param {string} sentence beside the picture; none takes it away */
  function say(sentence) {
    if (!hint) return;
    hint.textContent = sentence;
    show(hint, sentence !== "");
  }

  async function wake() {
    if (begun) return;
    begun = true;
    // Not `disabled`: the button keeps the focus while it waits.
    button.setAttribute("aria-disabled", "true");
    button.textContent = word("waking");
    announce(word("waking"));
    say("");
    try {
      const { viewer } = /** @type {typeof import("./viewer.js")} */ (await import(stage.dataset.viewer ?? ""));
      const model = viewer(new URL(stage.dataset.model ?? "", document.baseURI).href, stage.dataset.label ?? "");
      const { element, ready } = model;
      stage.append(element);
      await ready;
      model.run("nearer"); // as near as it is on the picture
      const hadFocus = document.activeElement === button;
      stage.classList.add("awake");
      show(button, false);
      if (hadFocus) /** @type {HTMLElement} */ (element.querySelector("[tabindex]") ?? element).focus();
      say(word("turns"));
      announce(word("awake"));
    } catch (error) {
      begun = false;
      for (const left of stage.querySelectorAll(".viewer")) left.remove();
      button.removeAttribute("aria-disabled");
      button.replaceChildren(...label.map((node) => node.cloneNode(true)));
      // The viewer names what it cannot show; whatever else goes wrong, goes wrong on the way here.
      const why = word(error instanceof Error && "code" in error ? "asleep" : "not-here");
      say(why);
      announce(why);
    }
  }

  show(button, true);
  picture?.classList.add("wakes");
  button.addEventListener("click", () => void wake());
  picture?.addEventListener("click", () => void wake());
}
