// @ts-check
// The camera itself: opening it, judging the picture, taking a frame, and letting go of it so that its light goes off.

import { Problem } from "./api.js";

/** @typedef {"dark" | "bright" | "moving" | "steady"} Verdict */

/** Small enough that looking at it ten times a second costs nothing, and that a camera's noise averages out. */
const GLANCE = { width: 64, height: 48 };
/** Of 255. Judged by the brightest and the darkest tenth: a mean would call dark hair or dark skin a dark room. */
const DARK = 50;
const BRIGHT = 200;
/** Mean difference of two glances, of 255. A still person stays below 3, a turning head goes beyond 8. */
const MOVING = 5;
const LONGEST_SIDE = 1280;

export class Camera {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    /** @type {MediaStream | null} */
    this.stream = null;
    this.glances = document.createElement("canvas");
    Object.assign(this.glances, GLANCE);
    /** @type {Uint8Array | null} */
    this.last = null;
  }

  /** @param {AbortSignal} signal aborted while the browser still asks: the camera is let go at once */
  async open(signal) {
    if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
      throw refusal("The camera only works over a secure connection. Open this site with https:// in its address, or use another way.");
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } },
      });
    } catch (error) {
      throw refusal(wordsFor(error instanceof Error ? error.name : ""));
    }
    if (signal.aborted) release(stream);
    signal.throwIfAborted();
    this.stream = stream;
    this.last = null;
    this.video.srcObject = stream;
    await this.video.play();
  }

  stop() {
    if (this.stream) release(this.stream);
    this.stream = null;
    this.video.srcObject = null;
  }

  /** @returns {boolean} unplugging a camera ends its track */
  get live() {
    return this.stream?.getVideoTracks()[0]?.readyState === "live";
  }

  get shortSide() {
    return Math.min(this.video.videoWidth, this.video.videoHeight);
  }

  /** @returns {Verdict} what the middle of the picture looks like now, against the last time */
  look() {
    const context = this.glances.getContext("2d", { willReadFrequently: true });
    if (!context || !this.video.videoWidth) return "moving";
    const { width, height } = GLANCE;
    context.drawImage(this.video, 0, 0, width, height);
    const { data } = context.getImageData(width / 4, height / 8, width / 2, (height * 3) / 4);
    const now = new Uint8Array(data.length / 4);
    let change = 0;
    for (let i = 0; i < now.length; i++) {
      now[i] = (data[4 * i] * 54 + data[4 * i + 1] * 183 + data[4 * i + 2] * 19) >> 8;
      change += this.last ? Math.abs(now[i] - this.last[i]) : 255;
    }
    this.last = now;
    const sorted = now.slice().sort();
    const tenth = Math.floor(now.length / 10);
    if (sorted[now.length - tenth] < DARK) return "dark";
    if (sorted[tenth] > BRIGHT) return "bright";
    return change / now.length > MOVING ? "moving" : "steady";
  }

  /**
   * @param {number} maxBytes
   * @returns {Promise<Blob>} the whole picture, not mirrored, as JPEG
   */
  async frame(maxBytes) {
    await this.#nextPicture();
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(videoWidth, videoHeight));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(videoWidth * scale);
    canvas.height = Math.round(videoHeight * scale);
    canvas.getContext("2d")?.drawImage(this.video, 0, 0, canvas.width, canvas.height);
    for (const quality of [0.92, 0.85, 0.7]) {
      /** @type {Blob | null} */
      const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
      if (blob && blob.size <= maxBytes) return blob;
    }
    throw refusal("This camera’s pictures are too big to send. Try another camera, or use another way.");
  }

  /** Two frames of one picture would be equal, and equal frames are refused. */
  #nextPicture() {
    return new Promise((done) => {
      const enough = setTimeout(done, 500);
      this.video.requestVideoFrameCallback?.(() => {
        clearTimeout(enough);
        done(undefined);
      });
    });
  }
}

/** @param {MediaStream} stream */
function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** @param {string} detail */
function refusal(detail) {
  return new Problem({ code: "camera", detail });
}

/** @param {string} name of the error that getUserMedia threw */
function wordsFor(name) {
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "The camera was refused. Allow it for this site with the camera or lock sign beside the address, then try again, or use another way.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "We found no camera. Connect one and try again, or use another way.";
    case "NotReadableError":
    case "AbortError":
      return "The camera is busy. Close other apps and tabs that use it, then try again, or use another way.";
  }
  return "The camera couldn’t be opened. Try again, or use another way.";
}
