// @ts-check
import { arrive, request } from "./api.js";
import { onClick } from "./forms.js";
import { mountFactors } from "./verify.js";

// Whoever comes by the letter at the end of a waiting has typed the password now.
if (sessionStorage.getItem("finish-recovery")) location.replace("/link/finish-recovery");

const root = document.querySelector("[data-factors]");
if (root instanceof HTMLElement) {
  mountFactors(root, arrive);
  const open = root.querySelector("[data-factor]:not([hidden]) input.code");
  if (open instanceof HTMLElement) open.focus();
}

const lost = document.querySelector("[data-lost]");
if (lost instanceof HTMLElement) {
  onClick(lost.querySelector("[data-ask]"), lost, async () => {
    await request("POST", "/v1/recovery/wait", {});
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (lost.querySelectorAll("[data-asking], [data-asked]"))) part.hidden = !part.hidden;
  });
}
