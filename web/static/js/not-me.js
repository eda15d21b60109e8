// @ts-check
import { onClick } from "./forms.js";
import { follow, tokenOf } from "./letter-link.js";
import { showStep } from "./steps.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-not-me]"));
const token = tokenOf(root);

onClick(root.querySelector("[data-deny]"), root, async () => {
  const answer = await follow(root, "not-me", { token });
  if (answer) showStep(root, answer.outcome);
});
