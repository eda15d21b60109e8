// @ts-check
import { post } from "./bot-check.js";
import { onSubmit } from "./forms.js";
import { showStep } from "./steps.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-forgot]"));
const form = /** @type {HTMLFormElement} */ (root.querySelector("form"));

onSubmit(form, async ({ email }) => {
  await post(form, "/v1/password/forgot", { email: email.trim() });
  showStep(root, "sent");
});
