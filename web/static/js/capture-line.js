// @ts-check
// The line that a challenge is played over: a cue from the server, one picture back, until it has seen enough. What
// was sent is known by its digests alone.

import { Problem, request } from "./api.js";

/**
 * @typedef {{prompt: string, step: number, steps: number, hint?: string, color?: string}} Cue
 * @typedef {{thumbprint?: string, public_key?: string, signature?: string}} Hello
 * @typedef {{cue: (cue: Cue) => void, frame: () => Promise<Uint8Array<ArrayBuffer>>}} Ends what shows a cue, and what answers it
 */

/** Longer than the server waits for a busy engine. */
const PATIENCE = 20_000;
const BROKEN_OFF = "The connection broke off before we were done, and nothing was kept. Start again, or use another way.";

/**
 * @param {{capture: string, frame: {per_second: number}}} challenge
 * @param {Hello} hello
 * @param {Ends} ends
 * @param {AbortSignal} signal
 * @returns {Promise<string[]>} SHA-256 of each picture sent, in hex, in order
 */
export function play(challenge, hello, ends, signal) {
  const socket = new WebSocket(new URL(challenge.capture, location.href.replace(/^http/, "ws")));
  /** @type {string[]} */
  const sent = [];
  let next = 0;
  /** @type {ReturnType<typeof setTimeout>} */
  let silence;

  const answer = async (/** @type {Cue} */ cue) => {
    ends.cue(cue);
    await pause(next - performance.now());
    next = performance.now() + 1000 / challenge.frame.per_second;
    const picture = await ends.frame();
    const digest = await crypto.subtle.digest("SHA-256", picture);
    if (socket.readyState !== WebSocket.OPEN) return;
    sent.push(hex(digest));
    socket.send(picture);
  };

  const played = new Promise((resolve, reject) => {
    const wait = () => {
      clearTimeout(silence);
      silence = setTimeout(() => reject(new Problem({ code: "capture", detail: BROKEN_OFF })), PATIENCE);
    };
    wait();
    socket.onopen = () => socket.send(JSON.stringify(hello));
    socket.onmessage = ({ data }) => {
      wait();
      const said = JSON.parse(data);
      if (said.cue) answer(said.cue).catch(reject);
      else if (said.captured) resolve(sent);
      else reject(new Problem(said.refused));
    };
    // A line that closes doesn't say why; the session's own answer leads on when that is what ended.
    socket.onclose = () =>
      request("GET", "/v1/session", undefined, signal).then(
        () => reject(new Problem({ code: "capture", detail: BROKEN_OFF })),
        reject,
      );
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return played.finally(() => {
    clearTimeout(silence);
    socket.onclose = socket.onmessage = null;
    socket.close();
  });
}

/** @param {ArrayBuffer} bytes */
function hex(bytes) {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
