// @ts-check
// WebAuthn as JSON: the server speaks base64url, the browser wants buffers.

import { Problem } from "./problem.js";

export function passkeysWork() {
  return "PublicKeyCredential" in window && Boolean(navigator.credentials);
}

/**
 * @param {any} publicKey creation options as the server sent them
 * @param {AbortSignal} signal always given: some browsers wait for ever without one
 */
export async function createPasskey(publicKey, signal) {
  const options = PublicKeyCredential.parseCreationOptionsFromJSON?.(publicKey) ?? {
    ...publicKey,
    challenge: toBytes(publicKey.challenge),
    user: { ...publicKey.user, id: toBytes(publicKey.user.id) },
    excludeCredentials: (publicKey.excludeCredentials ?? []).map(withBytes),
  };
  return toJSON(await ask(() => navigator.credentials.create({ publicKey: options, signal })));
}

/**
 * @param {any} publicKey request options as the server sent them
 * @param {AbortSignal} signal
 * @param {CredentialMediationRequirement} [mediation]
 */
export async function getPasskey(publicKey, signal, mediation) {
  const options = PublicKeyCredential.parseRequestOptionsFromJSON?.(publicKey) ?? {
    ...publicKey,
    challenge: toBytes(publicKey.challenge),
    allowCredentials: (publicKey.allowCredentials ?? []).map(withBytes),
  };
  return toJSON(await ask(() => navigator.credentials.get({ publicKey: options, signal, mediation })));
}

/**
 * Turns the browser's refusals into problems with words. Which of its many reasons a NotAllowedError has is kept from
 * pages on purpose, so the words fit all of them.
 * @param {() => Promise<Credential | null>} ceremony
 */
async function ask(ceremony) {
  if (!passkeysWork()) {
    throw new Problem({ code: "passkey", detail: "This browser can’t use passkeys here. Open the site over https in an up-to-date browser, or use another way." });
  }
  let credential;
  try {
    credential = await ceremony();
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "AbortError") throw new Problem({ code: "cancelled" });
    const words = {
      NotAllowedError: "Nothing was confirmed: it was cancelled, took too long, or this device has no passkey for this account. Try again, or use another way.",
      InvalidStateError: "This device already has a passkey for your account. Use it, or add one on another device.",
      SecurityError: "Your browser doesn’t allow passkeys on this address. Tell whoever runs this site.",
      NotSupportedError: "This device can’t make the kind of passkey we need. Try a security key, or use another way.",
    }[name];
    throw new Problem({ code: "passkey", detail: words ?? "Your browser couldn’t use the passkey. Try again, or use another way." });
  }
  if (!credential) throw new Problem({ code: "cancelled" });
  return /** @type {PublicKeyCredential} */ (credential);
}

/** @param {PublicKeyCredential} credential */
function toJSON(credential) {
  if (typeof credential.toJSON === "function") return credential.toJSON();
  const from = /** @type {any} */ (credential.response);
  /** @type {Record<string, any>} */
  const response = { clientDataJSON: toText(from.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (from[part]) response[part] = toText(from[part]);
  }
  if (from.getTransports) response.transports = from.getTransports();
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}

/** @param {{id: string}} descriptor */
function withBytes(descriptor) {
  return { ...descriptor, id: toBytes(descriptor.id) };
}

/** @param {string} text base64url without padding */
function toBytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

/** @param {ArrayBuffer} buffer */
function toText(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
