// face-api (https://github.com/vladmandic/face-api) with its WASM backend, for benchmarks to compare with:
//   node faceapi.mjs FOLDER      the folder that has node_modules
// Says in a line of JSON what it runs, then answers each line on stdin, {"rgb": file, "width", "height", "detector":
// "tiny" | "ssd"}, with {"ms", "faces"}. It is handed decoded pixels, so what it takes for a JPEG is not in its time.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

const modules = path.join(path.resolve(process.argv[2]), "node_modules");
const require = createRequire(path.join(modules, "x"));
const tf = require("@tensorflow/tfjs");
const wasm = require("@tensorflow/tfjs-backend-wasm");
const faceapi = require("@vladmandic/face-api/dist/face-api.node-wasm.js");

wasm.setWasmPaths(path.join(modules, "@tensorflow/tfjs-backend-wasm/dist") + "/");
await tf.setBackend("wasm");
await tf.ready();
const models = path.join(modules, "@vladmandic/face-api/model");
for (const net of ["tinyFaceDetector", "ssdMobilenetv1", "faceLandmark68Net", "faceRecognitionNet"]) {
  await faceapi.nets[net].loadFromDisk(models);
}
const detectors = {
  // What its own examples use: 416 pixels is the default size that the tiny detector scales a picture to.
  tiny: new faceapi.TinyFaceDetectorOptions(),
  ssd: new faceapi.SsdMobilenetv1Options(),
};

async function look({ rgb, width, height, detector }) {
  const pixels = readFileSync(rgb);
  const start = performance.now();
  const image = tf.tensor3d(pixels, [height, width, 3], "int32");
  const found = await faceapi.detectAllFaces(image, detectors[detector]).withFaceLandmarks().withFaceDescriptors();
  const ms = performance.now() - start;
  image.dispose();
  return { ms, faces: found.length };
}

const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");
say({
  version: faceapi.version.faceapi ?? faceapi.version, backend: tf.getBackend(),
  simd: await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"), threads: (await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT")) ? wasm.getThreadsCount() : 1,
});
for await (const line of createInterface({ input: process.stdin })) say(await look(JSON.parse(line)));
