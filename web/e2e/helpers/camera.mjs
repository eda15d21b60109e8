// A webcam that plays a photograph. Chromium takes one file at its start; another person sits down before it when
// another file is put at that path and the camera is opened again.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../../..");
const faces = path.join(process.env.SALLYPORT_TESTDATA ?? path.resolve(root, "../shared"), "faces");
const samples = path.join(process.env.SALLYPORT_FACE_MODELS ?? path.join(root, ".run/models"), "samples");

/**
 * Two photos of one person, one of another, and what shows several. A clone alone has the photos of the npm package
 * that the face models come from, with one picture of each person.
 */
export const photos = findPhotos();

function findPhotos() {
  if (existsSync(path.join(faces, "obama-1.jpg"))) {
    const at = (/** @type {string} */ name) => path.join(faces, name);
    return { enrolled: at("tzuyu-1.jpg"), later: at("tzuyu-2.jpg"), stranger: at("bona-2.jpg"), crowd: [at("two-people.jpg")] };
  }
  if (process.env.SALLYPORT_REQUIRE_TESTDATA === "1") throw new Error(`the test photos are not in ${faces}`);
  if (existsSync(path.join(samples, "sample1-face1.jpg"))) {
    const at = (/** @type {string} */ name) => path.join(samples, name);
    return { enrolled: at("sample1-face1.jpg"), later: at("sample1-face1.jpg"), stranger: at("sample2-face1.jpg"), crowd: [at("sample1-face1.jpg"), at("sample2-face1.jpg")] };
  }
  return null;
}

// Noise, because a camera's frames are never equal to the byte and equal ones are refused, and for longer than a capture
// takes, because Chromium starts the file over at its end; 4:2:0, because Chromium's
// fake camera garbles anything else.
const NOISE = "noise=alls=6:allf=t";

export class Webcam {
  constructor() {
    this.folder = mkdtempSync(path.join(tmpdir(), "sallyport-webcam-"));
    this.file = path.join(this.folder, "now.mjpeg");
  }

  /** @param {string[]} shown photos, side by side; none for an empty wall */
  shows(...shown) {
    const input = shown.length ? shown.flatMap((photo) => ["-loop", "1", "-i", photo]) : ["-f", "lavfi", "-i", "color=c=0xb0a898:s=640x480:r=10"];
    const width = 640 / Math.max(1, shown.length);
    // Of a tall photo the upper part, where the head is, so that the face is large enough.
    const fit = `crop=iw:min(ih\\,iw*1.1):0:0,scale=${width}:480:force_original_aspect_ratio=decrease,pad=${width}:480:-1:-1:color=gray,setsar=1`;
    const fitted = shown.map((_, i) => `[${i}]${fit}[p${i}]`);
    const beside = shown.length > 1 ? `${fitted.join(";")};${shown.map((_, i) => `[p${i}]`).join("")}hstack=inputs=${shown.length}` : `[0]${fit}`;
    const next = path.join(this.folder, "next.mjpeg");
    execFileSync(
      "ffmpeg",
      ["-v", "error", "-y", ...input, "-t", "10", "-r", "10", "-filter_complex", `${beside},${NOISE}`, "-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", next],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
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
