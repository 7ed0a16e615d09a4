/**
 * A picture of a model comes alive: when it is touched, or by itself once the page has rest, it is in view, and neither the
 * person nor the connection would mind. Only then the viewer and the model are loaded; if that fails, the picture stays.
 */

import { announce, show } from "./page.js";
import { word } from "./words.js";

const QUICK_MS = 3000; // a page that took longer than this is on a slow line
const REST_MS = 1200;

/** Whether to begin without being asked. */
function welcome() {
  const line = /** @type {{saveData?: boolean, effectiveType?: string} | undefined} */ (
    /** @type {any} */ (navigator).connection
  );
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const slow = Boolean(line?.saveData) || (line?.effectiveType ?? "4g") !== "4g" || performance.now() > QUICK_MS;
  return !still && !slow;
}

/** Resolves when the page is loaded and has nothing to do. */
async function rest() {
  if (document.readyState !== "complete") {
    await new Promise((resolve) => {
      window.addEventListener("load", resolve, { once: true });
    });
  }
  const willing = welcome();
  await new Promise((resolve) => {
    setTimeout(() => ("requestIdleCallback" in window ? requestIdleCallback(resolve) : setTimeout(resolve)), REST_MS);
  });
  return willing;
}

/**
 * Has the model in `stage` come alive. The stage says where things are: `data-viewer`, `data-model`, `data-label`.
 * @param {HTMLElement} stage @param {HTMLButtonElement} button that asks for it
 */
export function enliven(stage, button) {
  const hint = stage.querySelector(".hint");
  let begun = false;

  /** @param {boolean} asked by the person, who then is told what comes of it */
  async function wake(asked) {
    if (begun) return;
    begun = true;
    const hadFocus = document.activeElement === button;
    const label = button.textContent;
    if (asked) {
      button.disabled = true;
      button.textContent = word("waking");
    }
    try {
      const { viewer } = /** @type {typeof import("./viewer.js")} */ (await import(stage.dataset.viewer ?? ""));
      const { element, ready } = viewer(new URL(stage.dataset.model ?? "", document.baseURI).href, stage.dataset.label ?? "");
      stage.append(element);
      await ready;
      stage.classList.add("awake");
      show(button, false);
      if (hint) show(hint, true);
      if (hadFocus) /** @type {HTMLElement} */ (element.querySelector("[tabindex]") ?? element).focus();
      if (asked) announce(word("awake"));
    } catch {
      begun = false;
      button.disabled = false;
      button.textContent = label;
      for (const left of stage.querySelectorAll(".viewer")) left.remove();
      if (asked) announce(word("asleep"));
      if (asked && hint) {
        hint.textContent = word("asleep");
        show(hint, true);
      }
    }
  }

  show(button, true);
  button.addEventListener("click", () => void wake(true));
  stage.querySelector("img.object")?.addEventListener("pointerdown", () => void wake(true));
  const seen = new IntersectionObserver(async (entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    if (await rest()) void wake(false);
  });
  seen.observe(stage);
}
