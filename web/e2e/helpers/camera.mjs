// Chromium's fake webcam, which plays a file whatever is asked of it: pictures of people, and recordings. Who reacts is
// in actor.mjs. Chromium takes one file at its start; another sits down before the camera when another file is put at
// that path and the camera is opened again.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
export const models = process.env.SALLYPORT_FACE_MODELS ?? path.join(root, ".run/models");
const faces = path.join(process.env.SALLYPORT_TESTDATA ?? path.resolve(root, "../shared"), "faces");
const samples = path.join(models, "samples");

/**
 * Two photos of one person, one of another, all looking straight, and one of several people. A clone alone has the
 * photos of the npm package that the face models come from, with one picture of each person.
 */
export const photos = findPhotos();

function findPhotos() {
  if (existsSync(path.join(faces, "tzuyu-1.jpg"))) {
    const at = (/** @type {string} */ name) => path.join(faces, name);
    return { enrolled: at("tzuyu-1.jpg"), later: at("tzuyu-2.jpg"), stranger: at("obama-1.jpg"), crowd: at("two-people.jpg") };
  }
  if (process.env.SALLYPORT_REQUIRE_TESTDATA === "1") throw new Error(`the test photos are not in ${faces}`);
  if (existsSync(path.join(samples, "sample6-face3.jpg"))) {
    const at = (/** @type {string} */ name) => path.join(samples, name);
    return { enrolled: at("sample6-face3.jpg"), later: at("sample6-face3.jpg"), stranger: at("sample5-face1.jpg"), crowd: at("sample6.jpg") };
  }
  return null;
}

const SECONDS = 20;
// A sheet of paper is still, but no camera is without noise.
const NOISE = "noise=alls=6:allf=t";
// Of a tall photo the upper part, where the head is, so that the face is large enough.
const FIT = "crop=iw:min(ih\\,iw*1.1):0:0,scale=640:480:force_original_aspect_ratio=decrease,pad=640:480:-1:-1:color=gray,setsar=1";
// A hand that sways it and brings it nearer. The filter has no clock but the number of the frame.
const HELD = "scale=720:540,zoompan=z=1.15+0.08*sin(on/9):x=iw*0.07+20*sin(on/6):y=ih*0.07+12*sin(on/8):d=1:s=640x480:fps=10";

export class Webcam {
  constructor() {
    this.folder = mkdtempSync(path.join(tmpdir(), "sallyport-webcam-"));
    this.file = path.join(this.folder, "now.mjpeg");
  }

  /** @param {string} photo a print of it, held quite still */
  showsPrint(photo) {
    this.#film(["-loop", "1", "-i", photo], `${FIT},${NOISE}`);
  }

  /** @param {string} photo a print of it, moved about and nearer and farther */
  showsMovedPrint(photo) {
    this.#film(["-loop", "1", "-framerate", "10", "-i", photo], `${FIT},${HELD},${NOISE}`);
  }

  /**
   * A recording of somebody who followed prompts, though not those that are asked for now.
   * @param {string} loops as framesOf gives them
   * @param {string[]} prompts
   */
  replays(loops, prompts) {
    const files = prompts.flatMap((prompt) => readdirSync(path.join(loops, prompt)).sort().map((name) => path.join(loops, prompt, name)));
    const list = path.join(this.folder, "list.txt");
    writeFileSync(list, files.map((file) => `file '${file}'\nduration 0.1\n`).join(""));
    this.#film(["-stream_loop", "-1", "-f", "concat", "-safe", "0", "-i", list], NOISE);
  }

  /**
   * @param {string[]} input
   * @param {string} filter
   */
  #film(input, filter) {
    const next = path.join(this.folder, "next.mjpeg");
    // 4:2:0, because Chromium's fake camera garbles anything else.
    const output = ["-t", String(SECONDS), "-r", "10", "-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", next];
    execFileSync("ffmpeg", ["-v", "error", "-y", ...input, "-vf", filter, ...output], { stdio: ["ignore", "inherit", "inherit"] });
    renameSync(next, this.file);
  }

  launch() {
    return launch([
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-video-capture=${this.file}`,
    ]);
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
