// @ts-check
// P-256 keys that this browser makes, never reads out, and keeps in IndexedDB: one place for each use of them.

/** @typedef {{thumbprint: string, publicKey: string, privateKey: CryptoKey}} Key both texts base64url */

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

/** What is kept, and by what it is found again.
 * @type {Record<string, string>} */
const PLACES = { "device-keys": "thumbprint", "remembered-devices": "subject" };

/** @returns {Promise<Key>} a new key, kept nowhere yet */
export async function makeKey() {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ALGORITHM, false, ["sign"]);
  const info = await crypto.subtle.exportKey("spki", publicKey);
  return { thumbprint: base64url(await crypto.subtle.digest("SHA-256", info)), publicKey: base64url(info), privateKey };
}

/**
 * @param {Key} key
 * @param {string[]} lines the first says what the signature is for
 */
export async function sign(key, lines) {
  const text = new TextEncoder().encode(lines.join("\n"));
  return base64url(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, text));
}

/** @param {ArrayBuffer} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * One transaction on the keys of a place, in a database that is opened for it.
 * @param {string} place
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} work
 * @returns {Promise<any>} what the request came to, once it is kept
 */
export function inStore(place, mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("sallyport", 2);
    opening.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(PLACES)) {
        if (!opening.result.objectStoreNames.contains(name)) opening.result.createObjectStore(name, { keyPath });
      }
    };
    opening.onblocked = opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      try {
        const transaction = database.transaction(place, mode);
        const request = work(transaction.objectStore(place));
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
