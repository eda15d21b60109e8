// @ts-check
// Finds the number whose SHA-256 behind the salt is the challenge (ALTCHA). A worker, so that the page stays awake.

/** Digests that are under way at once: waiting for each alone would take several times as long. */
const AT_ONCE = 500;

const encoder = new TextEncoder();

onmessage = async ({ data: { challenge, maxnumber, salt } }) => {
  for (let from = 0; from <= maxnumber; from += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, maxnumber + 1 - from) }, (_, i) => from + i);
    const hashes = await Promise.all(numbers.map((n) => crypto.subtle.digest("SHA-256", encoder.encode(salt + n))));
    const found = hashes.findIndex((hash) => hex(hash) === challenge);
    if (found >= 0) return postMessage(from + found);
  }
  postMessage(-1);
};

/** @param {ArrayBuffer} bytes */
function hex(bytes) {
  let text = "";
  for (const byte of new Uint8Array(bytes)) text += byte.toString(16).padStart(2, "0");
  return text;
}
