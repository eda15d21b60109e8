// A webcam that plays a photograph. Chromium takes one file at its start; another person sits down before it when
// another file is put at that path and the camera is opened again.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const testdata = process.env.SALLYPORT_TESTDATA ?? path.resolve(here, "../../../../shared");
export const faces = path.join(testdata, "faces");
export const haveFaces = existsSync(path.join(faces, "obama-1.jpg"));

// Noise, because a camera's frames are never equal to the byte and equal ones are refused; 4:2:0, because Chromium's
// fake camera garbles anything else.
const NOISE = "noise=alls=6:allf=t";

export class Webcam {
  constructor() {
    this.folder = mkdtempSync(path.join(tmpdir(), "sallyport-webcam-"));
    this.file = path.join(this.folder, "now.mjpeg");
  }

  /** @param {string} photo a file name below the test photos, or "nobody" for an empty wall */
  shows(photo) {
    const input = photo === "nobody" ? ["-f", "lavfi", "-i", "color=c=0xb0a898:s=640x480:r=10"] : ["-loop", "1", "-i", path.join(faces, photo)];
    const fit = "scale=640:480:force_original_aspect_ratio=decrease,pad=640:480:-1:-1:color=gray,setsar=1";
    const next = path.join(this.folder, "next.mjpeg");
    execFileSync(
      "ffmpeg",
      ["-v", "error", "-y", ...input, "-t", "3", "-r", "10", "-vf", `${fit},${NOISE}`, "-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", next],
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
