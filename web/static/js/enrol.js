// @ts-check
// Adding a passkey or an authenticator app. Where to go afterwards is the page's business.

import { Problem } from "./api.js";
import { fieldError, onSubmit, showError } from "./forms.js";
import { copyOnClick } from "./recovery.js";
import { api } from "./stepup.js";
import { drawQR, sendWhenComplete } from "./totp.js";

/** @typedef {(words: string) => Promise<unknown>} Done */

/**
 * @param {HTMLFormElement} form
 * @param {Done} done
 */
export function mountAddPasskey(form, done) {
  let ceremony = new AbortController();
  onSubmit(form, async ({ name }) => {
    ceremony.abort();
    ceremony = new AbortController();
    await api.enrol.passkey(name, ceremony.signal);
    await done("Your passkey is added.");
  });
  return { rest: () => ceremony.abort() };
}

/**
 * @param {HTMLFormElement} form
 * @param {Done} done
 */
export function mountAddTOTP(form, done) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (form.querySelector(selector));
  const input = /** @type {HTMLInputElement} */ (find("input"));
  const secret = find("[data-secret]");
  copyOnClick(find("[data-copy-secret]"), () => (secret.textContent ?? "").replaceAll(" ", ""));
  sendWhenComplete(input);

  async function begin() {
    try {
      const fresh = await api.enrol.totp();
      drawQR(find("[data-qr]"), fresh.qr_svg);
      secret.textContent = fresh.secret.replace(/(.{4})(?=.)/g, "$1 ");
      if (fresh.uri.startsWith("otpauth://")) /** @type {HTMLAnchorElement} */ (find("[data-otpauth]")).href = fresh.uri;
      input.focus();
    } catch (error) {
      showError(form, error);
    }
  }

  onSubmit(form, async ({ code }) => {
    try {
      await api.enrol.confirmTOTP(code);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === "challenge_expired") {
        await begin();
        fieldError(input, "That key had run out. Scan the new one, then type the six digits it shows.");
      } else if (error.code === "factor_rejected") {
        fieldError(input, "That code isn’t right. Check that your phone’s clock is, then type the digits it shows now.");
        input.select();
      } else {
        throw error;
      }
      return;
    }
    await done("Your authenticator app is set up.");
  });
  return { begin };
}
