// A person who reacts. Chromium's own fake webcam plays one file; what the server asks for is random. So the page's
// getUserMedia is replaced by a canvas, in which somebody does what the prompt on the page says. What they look like
// doing it is warped from one photo by biometrics/synth.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync } from "node:fs";
import path from "node:path";
import { models, root } from "./camera.mjs";

const worker = process.env.SALLYPORT_FACE_WORKER ?? path.join(root, ".run/bin/sallyport-face");

/**
 * The frames of one person: a folder for each prompt, each a loop from rest to the pose and back. They are kept for the
 * next run, by what they were made from.
 * @param {string} photo
 */
export function framesOf(photo) {
  const synth = path.join(root, "biometrics/synth");
  const digest = createHash("sha256").update(readFileSync(photo));
  for (const name of readdirSync(synth, { recursive: true, encoding: "utf8" }).sort()) {
    if (name.endsWith(".go")) digest.update(readFileSync(path.join(synth, name)));
  }
  const folder = path.join(root, ".run/test/play", digest.digest("hex").slice(0, 16));
  if (!existsSync(folder)) {
    const unfinished = `${folder}-${process.pid}`;
    const args = ["-photo", photo, "-out", unfinished, "-worker", worker, "-models", models];
    execFileSync("go", ["run", "./biometrics/synth/play", ...args], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    renameSync(unfinished, folder);
  }
  return folder;
}

/** @typedef {{photo?: string, loops?: string}} Seat photo is what is there unmoved; loops are frames of somebody who reacts */

/**
 * Puts somebody before the camera of this page, from its next load on; with neither photo nor loops there is a wall.
 * @param {import("playwright-core").Page} page
 * @param {Seat} seat
 */
export async function sit(page, seat) {
  await page.unroute("**/before-the-camera/*").catch(() => {});
  await page.route("**/before-the-camera/*", (route) => {
    const wanted = path.basename(new URL(route.request().url()).pathname);
    route.fulfill({ contentType: "application/octet-stream", body: pack(seat, wanted) });
  });
  await page.addInitScript(act);
  await page.addInitScript(WATCH);
}

/**
 * @param {Seat} seat
 * @param {string} prompt
 */
function pack({ photo, loops }, prompt) {
  const files = photo ? [photo] : [];
  if (loops) files.push(...readdirSync(path.join(loops, prompt)).sort().map((name) => path.join(loops, prompt, name)));
  return Buffer.concat(files.flatMap((file) => {
    const picture = readFileSync(file);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(picture.length);
    return [length, picture];
  }));
}

/** What the page gave and took, so that a test can see that no camera stays on. */
const WATCH = `if (navigator.mediaDevices) {
  const seen = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    seen.push(...stream.getTracks());
    return stream;
  };
  Object.assign(window, { cameraOpened: () => seen.length, cameraIsOff: () => seen.every((track) => track.readyState === "ended") });
}`;

/** @param {import("playwright-core").Page} page */
export async function cameraIsOff(page) {
  assert.ok(await page.evaluate(() => window.cameraOpened() > 0), "the camera was never on");
  assert.equal(await page.evaluate(() => window.cameraIsOff()), true, "the camera is still on");
}

/**
 * Waits until somebody who does as they are asked has got in, or fails with what the page says instead.
 * @param {import("playwright-core").Page | import("playwright-core").FrameLocator} page
 * @param {Promise<unknown>} arrival
 */
export async function passes(page, arrival) {
  const complaint = page.locator("[data-capture-error]:visible");
  const words = complaint.waitFor().then(() => complaint.textContent(), () => "");
  assert.equal(await Promise.race([arrival.then(() => ""), words]), "", "somebody who did as they were asked is refused");
  await arrival;
}

/** Runs in the page, before its own scripts. */
function act() {
  if (!navigator.mediaDevices) return; // about:blank has no camera
  const REACTION = 350;
  const TICK = 100;
  // As biometrics/synth/play makes a loop: six frames to the pose, and the last six back.
  const MOVING = 6;
  /** @type {Record<string, ImageBitmap[]>} */
  const loops = {};

  async function load(prompt) {
    const packed = await (await fetch(`/before-the-camera/${prompt}`)).arrayBuffer();
    loops[prompt] = [];
    for (let at = 0; at < packed.byteLength; ) {
      const length = new DataView(packed).getUint32(at);
      loops[prompt].push(await createImageBitmap(new Blob([packed.slice(at + 4, at + 4 + length)])));
      at += 4 + length;
    }
  }

  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 640, height: 480 });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let pose = "straight";
  let frame = 0;
  let back = false;
  let asked = { prompt: "straight", at: 0 };

  function move() {
    const now = performance.now();
    const shown = document.querySelector("[data-capture][data-phase=live]")?.getAttribute("data-prompt") ?? "straight";
    if (shown !== asked.prompt) asked = { prompt: shown, at: now };
    const want = now - asked.at > REACTION ? asked.prompt : pose;
    const last = loops[pose].length - 1;
    if (want !== pose) {
      if (pose === "straight" || frame === 0 || frame >= last) {
        pose = want;
        frame = 0;
      } else {
        frame = frame <= MOVING ? frame - 1 : Math.max(frame, last - MOVING) + 1;
      }
    } else if (pose === "straight") {
      frame = (frame + 1) % (last + 1);
    } else if (frame < MOVING) {
      frame++;
    } else {
      // To and fro while the pose is held.
      if (frame >= last - MOVING - 1) back = true;
      if (frame <= MOVING + 1) back = false;
      frame += back ? -1 : 1;
    }
    draw(now / 1000);
  }

  /** @param {number} t seconds; nobody holds so still that two pictures are equal */
  function draw(t) {
    context.fillStyle = "#b0a898";
    context.fillRect(0, 0, 640, 480);
    const picture = loops[pose][Math.min(frame, loops[pose].length - 1)];
    if (!picture) return;
    const scale = 1.02 * Math.min(640 / picture.width, 480 / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    context.drawImage(picture, (640 - width) / 2 + 2 * Math.sin(1.3 * t), (480 - height) / 2 + 1.5 * Math.sin(0.9 * t), width, height);
    // The screen shines on who sits before it.
    const light = document.querySelector("[data-light]:not([hidden])");
    if (!light) return;
    context.globalCompositeOperation = "lighter";
    context.globalAlpha = 0.1;
    context.fillStyle = getComputedStyle(light).backgroundColor;
    context.fillRect(0, 0, 640, 480);
    context.globalAlpha = 1;
    context.globalCompositeOperation = "source-over";
  }

  navigator.mediaDevices.getUserMedia = async () => {
    await Promise.all(["straight", "left", "right", "blink", "mouth"].map(load));
    move();
    const ticking = setInterval(move, TICK);
    const stream = canvas.captureStream();
    const [track] = stream.getTracks();
    const stop = track.stop.bind(track);
    track.stop = () => {
      clearInterval(ticking);
      stop();
    };
    return stream;
  };
}
