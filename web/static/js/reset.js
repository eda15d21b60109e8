// @ts-check
import { request } from "./api.js";
import { onSubmit } from "./forms.js";
import { leaving } from "./leaving.js";
import { advise } from "./password.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-reset]"));
advise(form, () => ({}));

onSubmit(form, async (fields) => {
  await leaving(() => request("POST", "/v1/password/reset", { new: fields.new }));
  sessionStorage.setItem("flash", "Your password is changed, and everybody is signed out. Sign in with the new one.");
  location.assign("/login");
  await new Promise(() => {});
});
