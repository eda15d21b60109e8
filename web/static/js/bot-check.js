// @ts-check
// Requests that may be answered by a puzzle: after many failures the server wants to see some work done first. The page
// does it by itself, beside its own thread, and then carries on with what the person was doing.

import { Problem, request } from "./api.js";

/** @typedef {{provider: string, algorithm?: string, challenge?: string, maxnumber?: number, salt?: string, signature?: string}} Challenge */

/** A new puzzle comes with each refusal; more than a second one would be a fault of ours. */
const ROUNDS = 2;

/**
 * Like request, for what may answer bot_check_required.
 * @param {HTMLFormElement} form whose button says what is going on
 * @param {string} path
 * @param {object} body
 */
export async function post(form, path, body) {
  for (let round = 0; ; round++) {
    try {
      return await request("POST", path, body);
    } catch (error) {
      const challenge = error instanceof Problem && error.code === "bot_check_required" ? error.botCheck : null;
      if (challenge?.provider !== "altcha" || round === ROUNDS) throw error;
      body = { ...body, bot_check: await working(form, () => solve(challenge)) };
    }
  }
}

/**
 * Says on the button, which keeps its place, that something is being done.
 * @template T
 * @param {HTMLFormElement} form
 * @param {() => Promise<T>} work
 */
async function working(form, work) {
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]"));
  const line = /** @type {HTMLElement} */ (form.querySelector("[data-working]"));
  const before = button.textContent;
  button.textContent = "Checking your browser…";
  line.textContent = "After several failed tries we check that this is a real browser. This takes a few seconds, and you need do nothing.";
  try {
    return await work();
  } finally {
    button.textContent = before;
    line.textContent = "";
  }
}

/**
 * @param {Challenge} challenge
 * @returns {Promise<string>} what the server takes as proof
 */
function solve(challenge) {
  const worker = new Worker(new URL("./bot-worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data: number }) => {
      const { algorithm, challenge: hash, salt, signature } = challenge;
      if (number < 0) reject(new Problem({ code: "bot_check_failed" }));
      else resolve(btoa(JSON.stringify({ algorithm, challenge: hash, number, salt, signature })));
    };
    worker.onerror = () => reject(new Problem({ code: "bot_check_failed" }));
    worker.postMessage(challenge);
  }).finally(() => worker.terminate());
}
