// @ts-check
// A sign-in once more within the session, for whoever sent the person here.
import { onClick } from "./forms.js";
import { write } from "./stepup.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-confirm-page]"));

onClick(root.querySelector("[data-go]"), root, async () => {
  await write("POST", "/v1/session/confirm", {});
  location.replace(document.body.dataset.next || "/account");
  await new Promise(() => {});
});
