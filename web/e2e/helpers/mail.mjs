// The letters that the server would send, as its viewer shows them.

import { setTimeout as sleep } from "node:timers/promises";

const viewer = process.env.SALLYPORT_E2E_MAIL ?? "";

/** @typedef {{id: number, to: string, subject: string, text: string, html: string}} Letter */

/**
 * Waits for the newest letter to somebody with such a subject.
 * @param {string} address
 * @param {RegExp} subject
 * @returns {Promise<Letter>}
 */
export async function letterTo(address, subject) {
  for (let tries = 0; tries < 150; tries++) {
    /** @type {Letter[]} */
    const letters = await fetch(`${viewer}/letters.json`).then((r) => r.json());
    const found = letters.find((l) => l.to === address && subject.test(l.subject));
    if (found) return found;
    await sleep(200);
  }
  throw new Error(`no letter like ${subject} came to ${address}`);
}

/**
 * The path of a letter's link, with its fragment.
 * @param {Letter} letter
 * @param {string} kind
 */
export function linkIn(letter, kind) {
  const found = new RegExp(`https?://[^/\\s]+(/link/${kind}#\\S+)`).exec(letter.text);
  if (!found) throw new Error(`no link for ${kind} in ${letter.text}`);
  return found[1];
}
