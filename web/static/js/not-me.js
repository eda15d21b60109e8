// @ts-check
// The page of "this wasn't me". The link's token is in the fragment, so no server and no scanner has seen it yet.

import { Problem, request } from "./api.js";
import { onClick } from "./forms.js";
import { showStep } from "./steps.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-not-me]"));
const token = location.hash.slice(1);

if (!token) showStep(root, "gone");

onClick(root.querySelector("[data-deny]"), root, async () => {
  let step = "gone";
  try {
    ({ outcome: step } = await request("POST", "/v1/links/not-me", { token }));
  } catch (error) {
    if (!(error instanceof Problem && error.code === "challenge_expired")) throw error;
  }
  // It is used up: neither the address bar nor the history needs to keep it.
  history.replaceState(null, "", location.pathname);
  showStep(root, step);
});
