// @ts-check
// The page of a letter's link for a new password. Its token is in the fragment, and only a click uses it up.

import { arrive, Problem, request } from "./api.js";
import { onClick } from "./forms.js";
import { showStep } from "./steps.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-reset-link]"));
const token = location.hash.slice(1);

if (!token) showStep(root, "gone");

onClick(root.querySelector("[data-follow]"), root, async () => {
  let session;
  try {
    session = await request("POST", "/v1/links/password-reset", { token });
  } catch (error) {
    if (!(error instanceof Problem && error.code === "challenge_expired")) throw error;
    history.replaceState(null, "", location.pathname);
    return showStep(root, "gone");
  }
  history.replaceState(null, "", location.pathname);
  await arrive(session);
});
