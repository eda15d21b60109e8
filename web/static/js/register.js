// @ts-check
import { arrive } from "./api.js";
import { post } from "./bot-check.js";
import { onClick, onSubmit } from "./forms.js";
import { advise } from "./password.js";
import { showStep } from "./steps.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-register]"));
const form = /** @type {HTMLFormElement} */ (root.querySelector("form"));
advise(form, () => ({
  email: /** @type {HTMLInputElement} */ (form.elements.namedItem("email")).value || undefined,
  username: /** @type {HTMLInputElement} */ (form.elements.namedItem("username")).value || undefined,
}));

/** @type {Record<string, string>} */
let account = {};

onSubmit(form, async ({ email, username, display_name, password }) => {
  account = { email: email.trim(), username: username.trim(), password };
  if (display_name.trim()) account.display_name = display_name.trim();
  const session = await post(form, "/v1/accounts", account);
  if (session.state) return arrive(session);
  // Where addresses have to be proven there is no session before the letter's link.
  for (const place of root.querySelectorAll("[data-address]")) place.textContent = account.email;
  showStep(root, "sent");
});

const sent = /** @type {HTMLElement} */ (root.querySelector("[data-step=sent]"));
onClick(sent.querySelector("[data-again]"), sent, async () => {
  await post(form, "/v1/accounts", account);
  /** @type {HTMLElement} */ (sent.querySelector("[data-again-said]")).textContent = "Another letter is on its way. Its link is the one that works.";
});
