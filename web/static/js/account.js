// @ts-check
import { fieldError, onSubmit, reloadWith } from "./forms.js";
import { advise } from "./password.js";
import { write } from "./stepup.js";
import { Problem } from "./api.js";
import { say } from "./words.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-password-form]"));
advise(form, () => ({}));

onSubmit(form, async ({ current, new: chosen }) => {
  try {
    await write("POST", "/v1/me/password", { current, new: chosen });
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "invalid_credentials") throw error;
    const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("current"));
    fieldError(field, "That isn’t your current password. Type it again.");
    field.select();
    return;
  }
  await reloadWith("Your password is changed, and everywhere else is signed out.");
});
