// @ts-check
// Confirming something for an app: the secret of the address is brought once, then the person confirms or turns it down,
// and goes back by the address, or the app's own page is told in a pop-up or frame.

import { Problem, request } from "./api.js";
import { mountAddPasskey, mountAddTOTP } from "./enrol.js";
import { mountAddFace } from "./enrol-face.js";
import { onClick, showError } from "./forms.js";
import { shield } from "./shield.js";
import { showStep } from "./steps.js";
import { mountFactors } from "./verify.js";

/** @typedef {{return_to: string, origin: string, message: Record<string, string>}} WayBack */

const root = /** @type {HTMLElement} */ (document.querySelector("[data-step-root]"));
const path = `/v1/transactions/${document.body.dataset.transaction}`;
const { now, display, ends } = root.dataset;

/** @param {() => Promise<WayBack>} work */
async function leave(work) {
  const way = await work();
  const told = display === "popup" ? window.opener : display === "frame" && window.parent !== window ? window.parent : null;
  if (!told) {
    location.replace(way.return_to);
    return new Promise(() => {});
  }
  told.postMessage(way.message, way.origin); // to nobody else than the app's own pages
  showStep(root, "told");
  if (display === "popup") window.close();
}

const goBack = () => leave(() => request("POST", `${path}/return`, {}));
const reload = () => {
  location.reload();
  return new Promise(() => {});
};

async function open() {
  const secret = location.hash.slice(1);
  if (!secret) return showStep(root, "over");
  try {
    await request("POST", `${path}/open`, { secret });
  } catch (error) {
    if (!(error instanceof Problem) || !["conflict", "challenge_expired", "not_found", "factor_required"].includes(error.code)) throw error;
    return showStep(root, error.code === "conflict" ? "elsewhere" : "over");
  }
  history.replaceState(null, "", location.pathname); // its work is done
  await reload();
}

function mountChoice() {
  const form = (/** @type {string} */ name) => /** @type {HTMLFormElement} */ (root.querySelector(`[data-add-${name}]`));
  const passkey = mountAddPasskey(form("passkey"), reload);
  const totp = mountAddTOTP(form("totp"), reload);
  /** @param {string} panel "" shows the choice */
  const show = (panel) => {
    passkey.rest();
    /** @type {HTMLElement} */ (root.querySelector("[data-choosing]")).hidden = panel !== "";
    for (const section of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-panel]"))) {
      section.hidden = section.dataset.panel !== panel;
      if (!section.hidden) /** @type {HTMLElement} */ (section.querySelector("h2")).focus();
    }
    if (panel === "totp") totp.begin();
  };
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-choose]"))) {
    button.addEventListener("click", () => show(button.dataset.choose ?? ""));
  }
  for (const button of root.querySelectorAll("[data-back]")) button.addEventListener("click", () => show(""));
}

const fields = root.querySelector("[data-shield]");
if (fields instanceof HTMLFieldSetElement) shield(fields, /** @type {HTMLElement} */ (root.querySelector("[data-asked]")));
if (ends) setTimeout(() => location.reload(), Math.max(1000, Date.parse(ends) - Date.now()));
onClick(root.querySelector("[data-deny]"), root, () => leave(() => request("POST", `${path}/deny`, {})));
onClick(root.querySelector("[data-return]"), root, goBack);
const factors = root.querySelector("[data-factors]");
if (factors instanceof HTMLElement) mountFactors(factors, goBack);
const face = root.querySelector("[data-add-face]");
if (face instanceof HTMLElement) mountAddFace(face, reload);
if (now === "choose") mountChoice();
if (now === "opening" || now === "done") await (now === "done" ? goBack() : open()).catch((error) => showError(root, error));
