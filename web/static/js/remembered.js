// @ts-check
// The device that its owner asked to be remembered: a key of its own for each account, which with the password opens the
// second door.

import { request } from "./api.js";
import { inStore, makeKey, sign } from "./key-store.js";

const KEYS = "remembered-devices";
const TAG = "sallyport remembered device v1";

/**
 * Has this device remembered, in a session that has just passed both steps.
 * @param {string} subject stands for the account
 */
export async function remember(subject) {
  const key = await makeKey();
  await inStore(KEYS, "readwrite", (store) => store.put({ subject, ...key }));
  try {
    await request("POST", "/v1/me/remembered-devices", { public_key: key.publicKey });
  } catch (error) {
    await forget(subject);
    throw error;
  }
}

/**
 * @param {string} subject
 * @returns {Promise<(import("./key-store.js").Key & {subject: string}) | undefined>}
 */
export function keyOf(subject) {
  return inStore(KEYS, "readonly", (store) => store.get(subject)).catch(() => undefined);
}

/** @param {string} subject */
export async function forget(subject) {
  await inStore(KEYS, "readwrite", (store) => store.delete(subject)).catch(() => {});
}

/**
 * @param {import("./key-store.js").Key} key
 * @returns {Promise<import("./api.js").Session>}
 */
export async function recognise(key) {
  const asked = await request("POST", "/v1/verify/device/options", { thumbprint: key.thumbprint });
  const signature = await sign(key, [TAG, location.origin, asked.subject, asked.session, asked.challenge, asked.nonce]);
  return request("POST", "/v1/verify/device", { challenge: asked.challenge, signature });
}
