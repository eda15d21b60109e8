// @ts-check
// The key that this browser signs its camera's pictures with: P-256, made here, never to be read out, in IndexedDB. A
// browser that can't keep one (a private window, cleared storage) goes on without.

/**
 * @typedef {{thumbprint: string, publicKey: string, privateKey: CryptoKey}} DeviceKey both texts base64url
 * @typedef {{required: boolean, keys: string[], may_add: boolean, nonce: string, subject: string, session: string, purpose: string}} Binding
 */

const OPEN_TAG = "sallyport face capture open v1";
const FRAMES_TAG = "sallyport face capture frames v1";
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

/**
 * @param {string[]} thumbprints those that the account knows
 * @returns {Promise<DeviceKey | null>} the one that is here
 */
export async function keyAmong(thumbprints) {
  /** @type {DeviceKey[]} */
  const kept = await inStore("readonly", (store) => store.getAll()).catch(() => []);
  return kept.find((key) => thumbprints.includes(key.thumbprint)) ?? null;
}

/** @returns {Promise<DeviceKey | null>} null where this browser can't keep one */
export async function createKey() {
  try {
    const { privateKey, publicKey } = await crypto.subtle.generateKey(ALGORITHM, false, ["sign"]);
    const info = await crypto.subtle.exportKey("spki", publicKey);
    const key = { thumbprint: base64url(await crypto.subtle.digest("SHA-256", info)), publicKey: base64url(info), privateKey };
    await inStore("readwrite", (store) => store.add(key));
    return key;
  } catch {
    return null;
  }
}

/** @param {string} thumbprint */
export async function forgetKey(thumbprint) {
  await inStore("readwrite", (store) => store.delete(thumbprint)).catch(() => {});
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

/**
 * @param {DeviceKey} key
 * @param {string[]} lines
 */
async function sign(key, lines) {
  const text = new TextEncoder().encode(lines.join("\n"));
  return base64url(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, text));
}

/** @param {ArrayBuffer} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const KEYS = "device-keys";

/**
 * One transaction on the keys, in a database that is opened for it.
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} work
 * @returns {Promise<any>} what the request came to, once it is kept
 */
function inStore(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("sallyport", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(KEYS, { keyPath: "thumbprint" });
    opening.onblocked = opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      try {
        const transaction = database.transaction(KEYS, mode);
        const request = work(transaction.objectStore(KEYS));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onabort = transaction.onerror = () => reject(transaction.error);
      } catch (error) {
        reject(error);
      } finally {
        database.close(); // waits for the transaction
      }
    };
  });
}

/** @returns {string} what to call this browser among a person's devices */
export function browserName() {
  const agent = navigator.userAgent;
  const first = (/** @type {[RegExp, string][]} */ table, /** @type {string} */ other) => table.find(([sign]) => sign.test(agent))?.[1] ?? other;
  const browser = first([[/Edg/, "Edge"], [/OPR/, "Opera"], [/Firefox|FxiOS/, "Firefox"], [/SamsungBrowser/, "Samsung Internet"], [/Chrome|CriOS/, "Chrome"], [/Safari/, "Safari"]], "A browser");
  const system = first([[/Android/, "Android"], [/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Windows/, "Windows"], [/Mac OS/, "Mac"], [/CrOS/, "ChromeOS"], [/Linux/, "Linux"]], "");
  return system ? `${browser} on ${system}` : browser;
}
