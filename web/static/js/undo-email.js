// @ts-check
import { onClick } from "./forms.js";
import { follow, tokenOf } from "./letter-link.js";
import { showStep } from "./steps.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-undo-email]"));
const token = tokenOf(root);

onClick(root.querySelector("[data-undo]"), root, async () => {
  if (await follow(root, "undo-email", { token })) showStep(root, "done");
});
