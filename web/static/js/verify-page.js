// @ts-check
import { arrive } from "./api.js";
import { mountFactors } from "./verify.js";

const root = document.querySelector("[data-factors]");
if (root instanceof HTMLElement) {
  mountFactors(root, arrive);
  const open = root.querySelector("[data-factor]:not([hidden]) input.code");
  if (open instanceof HTMLElement) open.focus();
}
