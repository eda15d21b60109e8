// @ts-check
// A password, a passkey from the browser's suggestions below the first field, or a passkey by its button.

import { passkeysWork } from "../sdk/sallyport.js";
import { api, arrive, Problem } from "./api.js";
import { post } from "./bot-check.js";
import { onClick, onSubmit, showError } from "./forms.js";
import { say } from "./words.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-login]"));
const way = /** @type {HTMLElement} */ (document.querySelector("[data-passkey-way]"));

onSubmit(form, async ({ identifier, password }) => {
  try {
    await arrive(await post(form, "/v1/login", { identifier, password }));
  } catch (error) {
    // What was typed is most likely nearly right: ready to be mended or typed over.
    const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("password"));
    showError(form, error);
    if (error instanceof Problem && error.code === "invalid_credentials") field.select();
  }
});

/** Only one ceremony can be open in a page; starting one ends the other. */
let ceremony = new AbortController();

/** @param {CredentialMediationRequirement} [mediation] */
async function signInWithPasskey(mediation) {
  ceremony.abort();
  ceremony = new AbortController();
  await arrive(await api.signInWithPasskey({ mediation, signal: ceremony.signal }));
}

/** Answers to a passkey that was chosen; anything else before that is not worth a word. */
const REFUSED = new Set(["factor_rejected", "invalid_credentials", "challenge_expired"]);

/** A challenge lives five minutes; the page may wait longer than that for its person. */
const RENEW_AFTER = 4 * 60_000;
let renewal = 0;

/** Passkeys among the suggestions of the first field; silent until one of them is chosen and refused. */
async function offerPasskeys() {
  clearTimeout(renewal);
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  renewal = setTimeout(() => {
    if (document.hidden) document.addEventListener("visibilitychange", offerPasskeys, { once: true });
    else offerPasskeys();
  }, RENEW_AFTER);
  try {
    await signInWithPasskey("conditional");
  } catch (error) {
    if (!(error instanceof Problem) || !REFUSED.has(error.code)) return;
    showPasskeyError(error);
    offerPasskeys();
  }
}

/** @param {unknown} error */
function showPasskeyError(error) {
  if (error instanceof Problem && error.code === "cancelled") return;
  const line = /** @type {HTMLElement} */ (document.querySelector("[data-passkey-error]"));
  const unknown = error instanceof Problem && ["factor_rejected", "invalid_credentials"].includes(error.code);
  line.textContent = unknown ? "That passkey can’t sign you in here on its own. Use another one, or your password and then the passkey." : say(error);
  line.hidden = false;
  line.focus();
}

if (passkeysWork()) {
  way.hidden = false;
  offerPasskeys();
  onClick(way.querySelector("[data-passkey]"), way, async () => {
    clearTimeout(renewal);
    /** @type {HTMLElement} */ (document.querySelector("[data-passkey-error]")).hidden = true;
    try {
      await signInWithPasskey();
    } catch (error) {
      showPasskeyError(error);
      offerPasskeys();
    }
  });
}
