// @ts-check
// From "turn on the camera" to pictures sent: preview, one frame for each prompt, stills, retake. The camera is off
// again as soon as the frames are taken, whatever happened in between.

import { Problem } from "./api.js";
import { Camera } from "./camera.js";
import { busy } from "./forms.js";
import { say } from "./words.js";

/**
 * @typedef {{id: string, prompts: string[], expires_at: string, frame: {max_bytes: number, min_side: number}}} Challenge
 * @typedef {{
 *   challenge: () => Promise<Challenge>,
 *   send: (form: FormData) => Promise<unknown>,
 *   challengeFirst?: boolean,
 *   ask?: boolean,
 * }} Options challengeFirst gets it before the camera opens; ask shows the stills and waits for a yes before sending
 */

/** @type {Record<string, string>} */
const PROMPTS = {
  straight: "Look straight ahead and hold still.",
  left: "Turn your head a little to the left.",
  right: "Turn your head a little to the right.",
  up: "Look up a little.",
  down: "Look down a little.",
};

/** @type {Record<import("./camera.js").Verdict, string>} */
const HINTS = {
  dark: "It’s too dark. Turn on a light or face a window.",
  bright: "It’s too bright. Turn away from the light.",
  moving: "Fill the oval with your face and hold still.",
  steady: "Good. Hold still.",
};

const GLANCE_EVERY = 100;
const STEADY_GLANCES = 6;
/** A camera needs a moment for its exposure, and a person one to see what is happening. */
const SETTLE = 1200;
const BETWEEN_FRAMES = 300;
const HINT_AT_MOST_EVERY = 1500;
const SUGGEST_BUTTON_AFTER = 8000;
/** A challenge with less than this left is not worth starting on. */
const ENOUGH_TIME = 25_000;
/** @type {("open" | "retake")[]} */
const STARTERS = ["open", "retake"];

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
    this.video = /** @type {HTMLVideoElement} */ (root.querySelector("[data-video]"));
    this.stills = /** @type {HTMLElement} */ (root.querySelector("[data-stills]"));
    this.line = /** @type {HTMLElement} */ (root.querySelector("[data-say]"));
    this.alert = /** @type {HTMLElement} */ (root.querySelector("[data-capture-error]"));
    this.camera = new Camera(this.video);
    this.atRest = this.line.textContent ?? "";
    /** @type {Challenge | null} */
    this.current = null;
    /** @type {Blob[]} */
    this.frames = [];
    this.running = new AbortController();
    this.pressed = () => {};

    this.button("open").addEventListener("click", () => this.start());
    this.button("retake").addEventListener("click", () => this.start());
    this.button("take").addEventListener("click", () => this.pressed());
    this.button("send").addEventListener("click", () => this.deliver());
    this.button("stop").addEventListener("click", () => {
      this.stop();
      this.button("open").focus();
    });
    // Nobody expects a camera to go on watching a tab that is out of sight.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.stop();
    });
    window.addEventListener("pagehide", () => this.stop());
  }

  /** @param {"open" | "take" | "send" | "retake" | "stop"} name */
  button(name) {
    return /** @type {HTMLButtonElement} */ (this.root.querySelector(`[data-${name}]`));
  }

  /** Ends whatever runs, camera first. */
  stop() {
    this.running.abort();
    this.camera.stop();
    for (const name of STARTERS) this.button(name).removeAttribute("aria-busy");
    if (this.root.dataset.phase === "live") this.show("idle");
  }

  async start() {
    const button = this.button(this.root.dataset.phase === "stills" ? "retake" : "open");
    if (button.getAttribute("aria-busy") === "true") return;
    this.stop();
    // A run that was stopped may still wait for the browser: from now on it must touch nothing.
    this.running = new AbortController();
    const { signal } = this.running;
    this.fail("");
    this.forget();
    button.setAttribute("aria-busy", "true");
    try {
      if (this.options.challengeFirst) await this.challenge(signal);
      await this.camera.open(signal);
      const challenge = await this.challenge(signal);
      this.show("live");
      this.button("take").focus();
      this.frames = await this.shoot(challenge, signal);
      this.show("stills");
    } catch (error) {
      if (signal.aborted) return;
      this.show("idle");
      this.fail(say(error), error);
    } finally {
      if (!signal.aborted) {
        this.camera.stop();
        button.removeAttribute("aria-busy");
      }
    }
    if (signal.aborted || !this.frames.length) return;
    if (this.options.ask) {
      this.tell("The camera is off and nothing has been sent yet. Use these pictures?");
      this.button("send").focus();
    } else {
      await this.deliver();
    }
  }

  /**
   * Keeps the one at hand while it is unused and has time left: each new one counts as a try.
   * @param {AbortSignal} signal
   * @returns {Promise<Challenge>}
   */
  async challenge(signal) {
    if (this.current && new Date(this.current.expires_at).getTime() - Date.now() >= ENOUGH_TIME) return this.current;
    const fresh = await this.options.challenge();
    signal.throwIfAborted();
    this.current = fresh;
    return fresh;
  }

  /**
   * @param {Challenge} challenge
   * @param {AbortSignal} signal
   */
  async shoot(challenge, signal) {
    const tall = this.video.videoHeight > this.video.videoWidth;
    const stage = /** @type {HTMLElement} */ (this.root.querySelector("[data-stage]"));
    stage.dataset.shape = tall ? "tall" : "wide";
    if (this.camera.shortSide < challenge.frame.min_side) {
      throw new Problem({ code: "camera", detail: "This camera’s picture is too small. Try another camera, or use another way." });
    }
    const frames = [];
    let before = "";
    for (const prompt of challenge.prompts) {
      if (prompt === before) {
        await pause(BETWEEN_FRAMES);
      } else {
        await this.moment(PROMPTS[prompt] ?? prompt, signal);
      }
      signal.throwIfAborted();
      if (!this.camera.live) throw new Problem({ code: "camera", detail: "The camera went away. Connect it again, then try again, or use another way." });
      frames.push(await this.camera.frame(challenge.frame.max_bytes));
      signal.throwIfAborted();
      before = prompt;
    }
    return frames;
  }

  /**
   * Waits until the picture is steady and lit, or the button is pressed.
   * @param {string} prompt
   * @param {AbortSignal} signal
   */
  async moment(prompt, signal) {
    const began = performance.now();
    let told = began;
    let steady = 0;
    let go = false;
    this.pressed = () => (go = true);
    this.tell(prompt);
    while (!go && this.camera.live) {
      await pause(GLANCE_EVERY);
      if (signal.aborted) return;
      const verdict = this.camera.look();
      const waited = performance.now() - began;
      steady = verdict === "steady" ? steady + 1 : 0;
      this.root.dataset.ready = String(verdict === "steady");
      if (steady >= STEADY_GLANCES && waited >= SETTLE) return;
      if (performance.now() - told < HINT_AT_MOST_EVERY) continue;
      told = performance.now();
      // Some browsers blur what a page may read of a canvas; then the picture never seems steady.
      this.tell(waited > SUGGEST_BUTTON_AFTER && verdict === "moving" ? "Ready? Press “Take the pictures now”." : HINTS[verdict]);
    }
  }

  async deliver() {
    const form = new FormData();
    form.append("challenge", /** @type {Challenge} */ (this.current).id);
    this.frames.forEach((frame, i) => form.append("frame", frame, `frame-${i + 1}.jpg`));
    // Used up by being sent, whatever the answer is.
    this.current = null;
    this.fail("");
    this.tell("Checking the pictures. This takes a second or two.");
    await busy(this.button("send"), async () => {
      try {
        await this.options.send(form);
        this.tell("Done.");
      } catch (error) {
        this.tell("The camera is off.");
        this.button("send").hidden = true;
        this.fail(say(error), error);
      }
    });
  }

  /** @param {"idle" | "live" | "stills"} phase */
  show(phase) {
    this.root.dataset.phase = phase;
    this.root.dataset.ready = "false";
    this.video.hidden = phase !== "live";
    this.stills.hidden = phase !== "stills";
    this.button("open").hidden = phase !== "idle";
    this.button("take").hidden = phase !== "live";
    this.button("stop").hidden = phase !== "live";
    this.button("send").hidden = phase !== "stills" || !this.options.ask;
    this.button("retake").hidden = phase !== "stills";
    if (phase === "idle") this.tell(this.atRest);
    if (phase === "stills") this.showStills();
  }

  showStills() {
    this.frames.forEach((frame, i) => {
      const still = document.createElement("img");
      still.src = URL.createObjectURL(frame);
      still.alt = `Picture ${i + 1} of ${this.frames.length}`;
      const item = document.createElement("li");
      item.append(still);
      this.stills.append(item);
    });
  }

  /** Lets go of the pictures; the page keeps none. */
  forget() {
    for (const still of this.stills.querySelectorAll("img")) URL.revokeObjectURL(still.src);
    this.stills.replaceChildren();
    this.frames = [];
  }

  /** @param {string} words */
  tell(words) {
    if (this.line.textContent !== words) this.line.textContent = words;
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

/** @param {number} ms */
function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
