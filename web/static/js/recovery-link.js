// @ts-check
// The pages of links about a way back. Their tokens are in the fragment, and only a click uses them up.

import { arrive, Problem, request } from "./api.js";
import { onClick } from "./forms.js";
import { showStep } from "./steps.js";
import { localTimes } from "./time.js";

/** Where the token of the last letter waits while its reader types the password. */
const WAITING = "finish-recovery";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-recovery-link]"));
const kind = root.dataset.recoveryLink ?? "";
const token = location.hash.slice(1) || (kind === WAITING && sessionStorage.getItem(WAITING)) || "";

/** @type {Record<string, () => Promise<void>>} */
const uses = {
  "begin-recovery": async () => {
    const { over_at: over } = await request("POST", "/v1/links/begin-recovery", { token });
    const time = /** @type {HTMLTimeElement} */ (root.querySelector("[data-over]"));
    time.dateTime = over;
    localTimes(root);
    showStep(root, "begun");
  },
  "stop-recovery": async () => {
    await request("POST", "/v1/links/stop-recovery", { token });
    showStep(root, "stopped");
  },
  "finish-recovery": async () => arrive(await request("POST", "/v1/recovery/finish", { token })),
  "assisted-recovery": async () => arrive(await request("POST", "/v1/links/assisted-recovery", { token })),
};

if (!token) showStep(root, "gone");

onClick(root.querySelector("[data-go]"), root, async () => {
  try {
    await uses[kind]();
  } catch (error) {
    if (!(error instanceof Problem && error.code === "challenge_expired")) throw error;
    showStep(root, "gone");
  } finally {
    history.replaceState(null, "", location.pathname);
    sessionStorage.removeItem(WAITING);
  }
});

onClick(root.querySelector("[data-sign-in-first]"), root, async () => {
  sessionStorage.setItem(WAITING, token);
  location.assign("/login");
  await new Promise(() => {});
});
