// @ts-check
// What /account/security is while the address of an account has to be proven first.

import { request } from "./api.js";
import { onClick } from "./forms.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-unproven]"));
onClick(root.querySelector("[data-verify-email]"), root, async () => {
  await request("POST", "/v1/me/email/verification", {});
  /** @type {HTMLElement} */ (root.querySelector("[data-said]")).textContent =
    "A letter is on its way. Open its link on this or any other device, then come back here.";
});
