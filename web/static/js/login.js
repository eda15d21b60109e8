// @ts-check
// A password, a passkey from the browser's suggestions below the first field, or a passkey by its button.

import { arrive, Problem, request } from "./api.js";
import { onClick, onSubmit, showError } from "./forms.js";
import { getPasskey, passkeysWork } from "./passkey.js";
import { say } from "./words.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-login]"));
const way = /** @type {HTMLElement} */ (document.querySelector("[data-passkey-way]"));

onSubmit(form, async ({ identifier, password }) => {
  try {
    await arrive(await request("POST", "/v1/login", { identifier, password }));
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
  const { signal } = ceremony;
  const { publicKey } = await request("POST", "/v1/login/passkey/options", {}, signal);
  const credential = await getPasskey(publicKey, signal, mediation);
  await arrive(await request("POST", "/v1/login/passkey", credential));
}

/** Passkeys among the suggestions of the first field; silent until one of them is chosen and refused. */
async function offerPasskeys() {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  try {
    await signInWithPasskey("conditional");
  } catch (error) {
    const chosen = error instanceof Problem && ["factor_rejected", "invalid_credentials", "challenge_expired"].includes(error.code);
    if (!chosen) return;
    showPasskeyError(error);
    offerPasskeys();
  }
}

/** @param {unknown} error */
function showPasskeyError(error) {
  const line = /** @type {HTMLElement} */ (document.querySelector("[data-passkey-error]"));
  if (error instanceof Problem && error.code === "cancelled") return;
  line.textContent = say(error);
  line.hidden = false;
  line.focus();
}

if (passkeysWork()) {
  way.hidden = false;
  offerPasskeys();
  onClick(way.querySelector("[data-passkey]"), way, async () => {
    /** @type {HTMLElement} */ (document.querySelector("[data-passkey-error]")).hidden = true;
    try {
      await signInWithPasskey();
    } catch (error) {
      showPasskeyError(error);
      offerPasskeys();
    }
  });
}
