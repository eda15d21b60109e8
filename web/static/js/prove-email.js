// @ts-check
import { onClick } from "./forms.js";
import { follow, tokenOf } from "./letter-link.js";
import { showStep } from "./steps.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-prove-email]"));
const token = tokenOf(root);

onClick(root.querySelector("[data-prove]"), root, async () => {
  const answer = await follow(root, root.dataset.proveEmail ?? "", { token });
  if (answer !== undefined) showStep(root, "done");
});
