// @ts-check
// The key that this browser signs its camera's pictures with: P-256, made here, never to be read out, in IndexedDB. A
// browser that can't keep one (a private window, cleared storage) goes on without.

import { inStore, makeKey, sign } from "./key-store.js";

/**
 * @typedef {import("./key-store.js").Key} DeviceKey
 * @typedef {{required: boolean, keys: string[], may_add: boolean, nonce: string, subject: string, session: string, purpose: string}} Binding
 */

const OPEN_TAG = "sallyport face capture open v1";
const FRAMES_TAG = "sallyport face capture frames v1";
const KEYS = "device-keys";

/**
 * @param {string[]} thumbprints those that the account knows
 * @returns {Promise<DeviceKey | null>} the one that is here
 */
export async function keyAmong(thumbprints) {
  /** @type {DeviceKey[]} */
  const kept = await inStore(KEYS, "readonly", (store) => store.getAll()).catch(() => []);
  return kept.find((key) => thumbprints.includes(key.thumbprint)) ?? null;
}

/** @returns {Promise<DeviceKey | null>} null where this browser can't keep one */
export async function createKey() {
  try {
    const key = await makeKey();
    await inStore(KEYS, "readwrite", (store) => store.add(key));
    return key;
  } catch {
    return null;
  }
}

/** @param {string} thumbprint */
export async function forgetKey(thumbprint) {
  await inStore(KEYS, "readwrite", (store) => store.delete(thumbprint)).catch(() => {});
}

/**
 * Says whose camera it is, before the first picture.
 * @param {DeviceKey} key
 * @param {string} challenge
 * @param {Binding} binding
 */
export function signOpening(key, challenge, binding) {
  return sign(key, [...statement(OPEN_TAG, key, challenge, binding), binding.nonce]);
}

/**
 * @param {DeviceKey} key
 * @param {string} challenge
 * @param {Binding} binding
 * @param {string[]} frames SHA-256 of each picture that was sent, in order
 */
export function signFrames(key, challenge, binding, frames) {
  return sign(key, [...statement(FRAMES_TAG, key, challenge, binding), ...frames]);
}

/**
 * Proves that a new key is here.
 * @param {DeviceKey} key
 * @param {{subject: string, session: string}} whose
 */
export function signAdding(key, { subject, session }) {
  return sign(key, [OPEN_TAG, location.origin, subject, session, "add_device", key.thumbprint]);
}

/**
 * @param {string} tag
 * @param {DeviceKey} key
 * @param {string} challenge
 * @param {Binding} binding
 */
function statement(tag, key, challenge, { subject, session, purpose }) {
  return [tag, location.origin, subject, session, purpose, challenge, key.thumbprint];
}

/** @returns {string} what to call this browser among a person's devices */
export function browserName() {
  const agent = navigator.userAgent;
  const first = (/** @type {[RegExp, string][]} */ table, /** @type {string} */ other) => table.find(([sign]) => sign.test(agent))?.[1] ?? other;
  const browser = first([[/Edg/, "Edge"], [/OPR/, "Opera"], [/Firefox|FxiOS/, "Firefox"], [/SamsungBrowser/, "Samsung Internet"], [/Chrome|CriOS/, "Chrome"], [/Safari/, "Safari"]], "A browser");
  const system = first([[/Android/, "Android"], [/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Windows/, "Windows"], [/Mac OS/, "Mac"], [/CrOS/, "ChromeOS"], [/Linux/, "Linux"]], "");
  return system ? `${browser} on ${system}` : browser;
}
