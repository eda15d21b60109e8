// @ts-check
// From "turn on the camera" to an answer: preview, one prompt at a time as the server names it, and the pictures that
// go to it meanwhile. The camera is off again as soon as the server has seen enough, whatever happened in between.

import { Problem } from "./api.js";
import { Camera } from "./camera.js";
import { play } from "./capture-line.js";
import { browserName, createKey, forgetKey, keyAmong, signFrames, signOpening } from "./device-key.js";
import { help, PROMPTS } from "./face-words.js";
import { say } from "./words.js";

/**
 * @typedef {import("./device-key.js").DeviceKey} DeviceKey
 * @typedef {{id: string, capture: string, frame: {max_bytes: number, min_side: number, per_second: number}, device: import("./device-key.js").Binding}} Challenge
 * @typedef {{
 *   challenge: (wishes: {reduced_motion: boolean}) => Promise<Challenge>,
 *   take: (body: {challenge: string, signature: string, name: string}) => Promise<unknown>,
 *   challengeFirst?: boolean,
 * }} Options challengeFirst gets it before the camera opens
 */

/** Words that change faster than this help nobody, least of all who has them read out. */
const HINT_AT_MOST_EVERY = 1500;

const NO_KEY = "This browser isn’t one that you use your face with. Use another way, then add this browser on your security page.";

/**
 * @param {HTMLElement} root
 * @param {Options} options
 */
export function mountCapture(root, options) {
  return new FaceCapture(root, options);
}

class FaceCapture {
  /**
   * @param {HTMLElement} root
   * @param {Options} options
   */
  constructor(root, options) {
    this.root = root;
    this.options = options;
    this.ask = this.find("[data-ask]");
    this.icon = this.find("[data-ask-icon]");
    this.hint = this.find("[data-hint]");
    this.alert = this.find("[data-capture-error]");
    this.open = this.find("[data-open]");
    this.still = /** @type {HTMLInputElement} */ (this.find("[data-no-colours]"));
    this.camera = new Camera(/** @type {HTMLVideoElement} */ (this.find("[data-video]")));
    this.atRest = { ask: this.ask.textContent ?? "", hint: this.hint.textContent ?? "" };
    this.running = new AbortController();
    this.hinted = 0;

    this.still.checked = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.open.addEventListener("click", () => this.start());
    this.find("[data-stop]").addEventListener("click", () => {
      this.stop();
      this.open.focus();
    });
    // Nobody expects a camera to go on watching a tab that is out of sight.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.stop();
    });
    window.addEventListener("pagehide", () => this.stop());
  }

  /** @param {string} selector */
  find(selector) {
    return /** @type {HTMLElement} */ (this.root.querySelector(selector));
  }

  /** Ends what runs, camera first; pictures that were all taken still get their answer. */
  stop() {
    this.camera.stop();
    if (this.root.dataset.phase === "checking") return;
    this.running.abort(new Problem({ code: "cancelled" }));
    this.show("idle");
  }

  async start() {
    if (this.open.getAttribute("aria-busy") === "true") return;
    this.stop();
    // A run that was stopped may still wait for the browser: from now on it must touch nothing.
    this.running = new AbortController();
    const { signal } = this.running;
    this.fail("");
    this.open.setAttribute("aria-busy", "true");
    try {
      await this.sit(signal);
    } catch (error) {
      if (signal.aborted) return;
      this.camera.stop();
      this.show("idle");
      this.fail(say(error), error);
    }
  }

  /** @param {AbortSignal} signal */
  async sit(signal) {
    const wishes = { reduced_motion: this.still.checked };
    const early = this.options.challengeFirst ? await this.options.challenge(wishes) : null;
    signal.throwIfAborted();
    await this.camera.open(signal);
    const challenge = early ?? (await this.options.challenge(wishes));
    signal.throwIfAborted();
    const key = await this.key(challenge);
    try {
      signal.throwIfAborted();
      const body = await this.pictures(challenge, key, signal);
      this.camera.stop();
      this.show("checking");
      await this.options.take(body);
      this.show("done");
    } catch (error) {
      // A key that was made for this is nobody's.
      if (key && !challenge.device.keys.includes(key.thumbprint)) await forgetKey(key.thumbprint);
      throw error;
    }
  }

  /**
   * @param {Challenge} challenge
   * @returns {Promise<DeviceKey | null>} one of the account's, or a new one that this enrolment may bring
   */
  async key({ device }) {
    const key = (await keyAmong(device.keys)) ?? (device.may_add ? await createKey() : null);
    if (!key && device.required && device.purpose === "verify_face") throw new Problem({ code: "capture", detail: NO_KEY });
    return key;
  }

  /**
   * @param {Challenge} challenge
   * @param {DeviceKey | null} key
   * @param {AbortSignal} signal
   */
  async pictures(challenge, key, signal) {
    if (this.camera.shortSide < challenge.frame.min_side) {
      throw new Problem({ code: "camera", detail: "This camera’s picture is too small. Try another camera, or use another way." });
    }
    const { id, device } = challenge;
    let hello = {};
    if (key) {
      const whose = device.keys.includes(key.thumbprint) ? { thumbprint: key.thumbprint } : { public_key: key.publicKey };
      hello = { ...whose, signature: await signOpening(key, id, device) };
    }
    signal.throwIfAborted();
    this.show("live");
    this.find("[data-stop]").focus({ preventScroll: true });
    this.root.scrollIntoView({ block: "nearest" });
    const ends = { cue: this.cue.bind(this), frame: () => this.camera.frame(challenge.frame.max_bytes) };
    const frames = await play(challenge, hello, ends, signal);
    return { challenge: id, signature: key ? await signFrames(key, id, device, frames) : "", name: browserName() };
  }

  /** @param {import("./capture-line.js").Cue} cue */
  cue({ prompt, step, steps, hint = "", color = "" }) {
    if (this.root.dataset.step !== String(step)) {
      this.root.dataset.step = String(step);
      this.root.dataset.prompt = prompt;
      this.say(PROMPTS[prompt] ?? prompt, prompt);
      const progress = /** @type {HTMLProgressElement} */ (this.find("[data-progress]"));
      progress.max = steps;
      progress.value = step;
      this.find("[data-steps]").textContent = `Step ${step + 1} of ${steps}`;
      // Nobody needs help with what they were told this moment.
      this.hinted = performance.now();
      this.tell("");
      this.root.dataset.fits = "false";
    } else {
      // Open eyes and closed lips have no hint, and aren't what was asked.
      this.root.dataset.fits = String(!hint && prompt !== "blink" && prompt !== "mouth");
    }
    if (performance.now() - this.hinted >= HINT_AT_MOST_EVERY) {
      this.hinted = performance.now();
      this.tell(help(prompt, hint));
    }
    this.light(color);
  }

  /** @param {string} color "#rrggbb", empty for none */
  light(color) {
    const light = this.find("[data-light]");
    light.hidden = !color;
    if (color) light.style.backgroundColor = color;
  }

  /** @param {"idle" | "live" | "checking" | "done"} phase */
  show(phase) {
    const live = phase === "live";
    this.root.dataset.phase = phase;
    this.light("");
    for (const name of ["step", "prompt", "fits"]) delete this.root.dataset[name];
    const { videoWidth, videoHeight } = this.camera.video;
    if (live) this.find("[data-stage]").dataset.shape = videoHeight > videoWidth ? "tall" : "wide";
    this.camera.video.hidden = !live;
    this.find("[data-wishes]").hidden = phase !== "idle";
    this.open.hidden = live;
    this.open.setAttribute("aria-busy", String(phase === "checking"));
    this.find("[data-stop]").hidden = !live;
    if (phase === "idle") {
      this.say(this.atRest.ask, "straight");
      this.tell(this.atRest.hint);
    } else if (!live) {
      const progress = /** @type {HTMLProgressElement} */ (this.find("[data-progress]"));
      progress.value = progress.max;
      this.say(phase === "done" ? "Done" : "Thank you. The camera is off", "straight");
      this.tell(phase === "done" ? "" : "One moment: we compare.");
    }
  }

  /**
   * @param {string} words
   * @param {string} drawing
   */
  say(words, drawing) {
    if (this.ask.textContent !== words) this.ask.textContent = words;
    this.icon.setAttribute("href", `#i-ask-${drawing}`);
  }

  /** @param {string} words */
  tell(words) {
    if (this.hint.textContent !== words) this.hint.textContent = words;
  }

  /**
   * @param {string} words empty takes the complaint back
   * @param {unknown} [error]
   */
  fail(words, error) {
    if (error instanceof Problem && error.code === "cancelled") return;
    this.alert.textContent = words;
    this.alert.hidden = !words;
    if (words) this.alert.focus();
  }
}
