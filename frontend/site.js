/** Every page: says that scripts run, shows times in the reader’s zone, draws seals, watches what is awaited, sends each form
 * once, puts notes away, copies, forgets drafts when somebody signs out. */

import { offerCopies } from "./copy.js";
import { forget } from "./create/draft.js";
import { forgetAll } from "./create/incoming.js";
import { drawSeals } from "./seal.js";
import { localise } from "./times.js";
import { watch } from "./watch.js";

document.documentElement.classList.add("js");
localise(document);
drawSeals(document);
watch();
offerCopies();

// For whoever has an account: without a network they get a page of ours, and can share photos to the installed app.
if (document.body.dataset.worker && "serviceWorker" in navigator) {
  navigator.serviceWorker.register(document.body.dataset.worker).catch(() => {}); // no storage, private window: do without
}

/** Forms that were sent, so that a second press does nothing. @type {WeakSet<HTMLFormElement>} */
const sent = new WeakSet();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || event.defaultPrevented || form.method !== "post") return;
  if (sent.has(form)) event.preventDefault();
  sent.add(form);
});

// Whoever signs out leaves no photo behind that waited for them.
document.addEventListener("submit", (event) => {
  if (!(event.target instanceof HTMLFormElement) || !event.target.action.endsWith("/logout/")) return;
  void forget();
  void forgetAll();
});

// Putting a note away by itself: a photo that was chosen on the page is not lost.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.classList.contains("changes")) return;
  event.preventDefault();
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) fields.append(name, String(value));
  fetch(form.action, { method: "POST", body: fields, redirect: "manual" })
    .then(() => {
      form.remove();
      document.getElementById("main")?.focus();
    })
    .catch(() => form.submit());
});

// A passkey that was not used: the page says so instead of the console.
document.addEventListener("allauth.error", (event) => {
  const note = document.getElementById("passkey-error");
  if (!note) return;
  event.preventDefault();
  note.hidden = false;
});

// A page that comes back from the browser's own cache may be sent again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
