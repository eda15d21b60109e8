// @ts-check
import { onSubmit, reloadWith } from "./forms.js";
import { advise } from "./password.js";
import { write } from "./stepup.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-password-form]"));
advise(form, () => ({}));

onSubmit(form, async ({ current, new: chosen }) => {
  await write("POST", "/v1/me/password", { current, new: chosen });
  await reloadWith("Your password is changed, and everywhere else is signed out.");
});
