// @ts-check
import { api, arrive, request } from "./api.js";
import { onClick, onSubmit } from "./forms.js";
import { advise } from "./password.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-reset]"));
advise(form, () => ({}));

onSubmit(form, async (fields) => {
  await api.leaving(() => request("POST", "/v1/password/reset", { new: fields.new }));
  sessionStorage.setItem("flash", "Your password is changed, and everybody is signed out. Sign in with the new one.");
  location.assign("/login");
  await new Promise(() => {});
});

const lost = document.querySelector("[data-factors-lost]");
if (lost) onClick(lost, form, async () => arrive(await request("POST", "/v1/recovery", {})));
