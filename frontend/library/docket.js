/** The receipt of a kept model: saved, fetched once if it is not here, and checked in this browser. */

import { checked } from "../checking.js";
import { byId, show } from "../page.js";
import { canVerify } from "../proof.js";
import { showVerdict } from "../verdict.js";
import { word } from "../words.js";
import { fetchReceipt, proves } from "./receipt.js";
import { save } from "./zips.js";

/** @typedef {import("./record.js").Kept} Kept */
/** @typedef {import("./shelf.js").Shelf} Shelf */

const ANY = "00000000-0000-0000-0000-000000000000";

/**
 * Shows the receipt's part of the page. @param {Kept} kept @param {Shelf} shelf
 * @param {HTMLElement} page with the site's addresses: of receipts, and of the log
 */
export async function showDocket(kept, shelf, page) {
  const said = byId("receipt-said", HTMLElement);
  const [check, get, keep] = ["check", "fetch", "save"].map((name) => byId(`receipt-${name}`, HTMLButtonElement));
  let file = await shelf.file(kept, "receipt");

  const draw = async () => {
    const whole = await proves(file);
    const state = file ? (whole || kept.gone ? "kept" : "early") : kept.gone ? "gone" : "none";
    said.textContent = word(`receipt-${state}`);
    show(check, file !== null);
    show(keep, file !== null);
    show(get, !whole && !kept.gone);
  };
  await draw();

  keep.addEventListener("click", () => {
    if (file) save(file, "receipt.json");
  });
  get.addEventListener("click", async () => {
    try {
      const found = await fetchReceipt(shelf, kept.job, (page.dataset.receipt ?? "").replace(ANY, kept.job));
      if (!found) {
        said.textContent = word("receipt-later");
        return;
      }
      file = found;
      await draw();
      if (get.hidden) check.focus();
    } catch {
      said.textContent = word("receipt-offline");
    }
  });
  check.addEventListener("click", async () => {
    if (!(await canVerify())) {
      said.textContent = word("receipt-unable");
      return;
    }
    said.textContent = word("checking");
    try {
      const judged = await checked((await file?.text()) ?? "", page.dataset, () => []);
      showVerdict(judged, byId("verdict", HTMLElement), byId("paper", HTMLElement), "h2");
      await draw();
    } catch {
      said.textContent = word("not-asked");
    }
  });
}
