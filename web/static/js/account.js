// @ts-check
import { download } from "./download.js";
import { onClick, onSubmit, reloadWith } from "./forms.js";
import { advise } from "./password.js";
import { write } from "./stepup.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-password-form]"));
advise(form, () => ({}));

onSubmit(form, async ({ current, new: chosen }) => {
  await write("POST", "/v1/me/password", { current, new: chosen });
  await reloadWith("Your password is changed, and everywhere else is signed out.");
});

const data = /** @type {HTMLElement} */ (document.querySelector("[data-my-data]"));
onClick(data.querySelector("[data-export]"), data, async () => {
  download("my-data.json", "application/json", JSON.stringify(await write("GET", "/v1/me/export"), null, 2));
});
