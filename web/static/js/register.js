// @ts-check
import { arrive } from "./api.js";
import { post } from "./bot-check.js";
import { onSubmit } from "./forms.js";
import { advise } from "./password.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-register]"));
advise(form, () => ({
  email: /** @type {HTMLInputElement} */ (form.elements.namedItem("email")).value || undefined,
  username: /** @type {HTMLInputElement} */ (form.elements.namedItem("username")).value || undefined,
}));

onSubmit(form, async ({ email, username, display_name, password }) => {
  /** @type {Record<string, string>} */
  const account = { email: email.trim(), username: username.trim(), password };
  if (display_name.trim()) account.display_name = display_name.trim();
  await arrive(await post(form, "/v1/accounts", account));
});
