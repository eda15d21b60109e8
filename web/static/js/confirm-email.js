// @ts-check
import { arrive } from "./api.js";
import { onSubmit } from "./forms.js";
import { follow, tokenOf } from "./letter-link.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-confirm-email]"));
const token = tokenOf(root);

onSubmit(/** @type {HTMLFormElement} */ (root.querySelector("form")), async ({ password }) => {
  const session = await follow(root, "confirm-email", { token, password });
  if (session) await arrive(session);
});
