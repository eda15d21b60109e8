// @ts-check
// The camera itself: opening it, taking a frame, and letting go of it so that its light goes off.

import { Problem } from "./api.js";

/** Pixels. A face needs 100 of them across; more only takes longer to send. */
const LONGEST_SIDE = 640;

export class Camera {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    /** @type {MediaStream | null} */
    this.stream = null;
    this.canvas = document.createElement("canvas");
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
    this.video.srcObject = stream;
    await this.video.play();
  }

  stop() {
    if (this.stream) release(this.stream);
    this.stream = null;
    this.video.srcObject = null;
    this.canvas.width = 0; // the last picture goes too
  }

  get shortSide() {
    return Math.min(this.video.videoWidth, this.video.videoHeight);
  }

  /**
   * @param {number} maxBytes
   * @returns {Promise<Uint8Array<ArrayBuffer>>} the whole picture, not mirrored, as JPEG
   */
  async frame(maxBytes) {
    await this.#nextPicture();
    // Unplugging a camera ends its track.
    if (this.stream?.getVideoTracks()[0]?.readyState !== "live") {
      throw refusal("The camera went away. Connect it again, then start again, or use another way.");
    }
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(videoWidth, videoHeight));
    this.canvas.width = Math.round(videoWidth * scale);
    this.canvas.height = Math.round(videoHeight * scale);
    this.canvas.getContext("2d")?.drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    // Not toBlob: Chromium encodes that when it is idle, which beside a preview may take a second a picture.
    const [kind, text] = this.canvas.toDataURL("image/jpeg", 0.85).split(",");
    const picture = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    if (kind !== "data:image/jpeg;base64" || picture.length > maxBytes) {
      throw refusal("This camera’s pictures can’t be sent. Try another camera, or use another way.");
    }
    return picture;
  }

  /** The same picture twice would look like a still one. */
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
