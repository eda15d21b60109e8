// @ts-check
import { arrive } from "./api.js";
import { onClick } from "./forms.js";
import { follow, tokenOf } from "./letter-link.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-reset-link]"));
const token = tokenOf(root);

onClick(root.querySelector("[data-follow]"), root, async () => {
  const session = await follow(root, "password-reset", { token });
  if (session) await arrive(session);
});
