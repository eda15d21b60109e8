// Starts the real server on a port of its own, then the browser tests against it:
//
//   node run.mjs                          every spec
//   node run.mjs specs/totp.test.mjs      some of them
//   node run.mjs screenshots.mjs FOLDER   another script against the same server
//
// SALLYPORT_E2E_DATABASE_URL names a Postgres database that may be filled; the schema is made in it. SALLYPORT_BIN is the
// server (default bin/sallyport at the top), SALLYPORT_FACE_WORKER and SALLYPORT_FACE_MODELS go to it as they are.
// SALLYPORT_TESTDATA is the folder with faces/; SALLYPORT_REQUIRE_TESTDATA=1 makes it an error that it is missing.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { clientsText } from "./helpers/app.mjs";
import { policyText } from "./helpers/policy.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../..");
/** Specs of addresses that have to be proven; for all others they count as they are given. */
const PROVING = [path.join("specs", "addresses.test.mjs")];
/** Specs that change the server's policy for all, or sit before a camera, which wants both cores. */
const ALONE = ["bot-check", "camera", "face", "face-attacks", "face-device", "remembered"].map((name) => path.join("specs", `${name}.test.mjs`));

const database = process.env.SALLYPORT_E2E_DATABASE_URL;
if (!database) throw new Error("SALLYPORT_E2E_DATABASE_URL must name a Postgres database that the tests may fill");
const program = process.env.SALLYPORT_BIN ?? path.join(root, "bin/sallyport");

const folder = mkdtempSync(path.join(tmpdir(), "sallyport-e2e-"));
const policy = path.join(folder, "policy.yaml");
writeFileSync(policy, policyText());
execFileSync(program, ["keys", "generate", "--dir", path.join(folder, "keys")], { stdio: ["ignore", "ignore", "inherit"] });

const models = process.env.SALLYPORT_FACE_MODELS ?? path.join(root, ".run/models");
const port = await freePort();
const mailPort = await freePort();
const url = `http://localhost:${port}`;
const appURL = `http://localhost:${await freePort()}`;
// Another site than the server's, where the one before is another origin of the same.
const elsewhereURL = `http://127.0.0.1:${await freePort()}`;
const chatURL = `http://localhost:${await freePort()}`;
const screensURL = `http://localhost:${await freePort()}`;
const spaURL = `http://localhost:${await freePort()}`;
const bankURL = `http://127.0.0.1:${await freePort()}`; // another site than localhost, for frames
const clients = path.join(folder, "clients.yaml");
writeFileSync(clients, clientsText({ at: appURL, elsewhere: elsewhereURL, chat: chatURL, spa: spaURL, bank: bankURL }));

let failed = 0;
try {
  const wanted = process.argv.slice(2);
  if (wanted.length > 0 && !wanted[0].endsWith(".test.mjs")) {
    failed = await serving("off", () => node([path.resolve(here, wanted[0]), ...wanted.slice(1).map((arg) => path.resolve(arg))]));
  } else {
    const specs = wanted.length ? wanted : readdirSync(path.join(here, "specs")).sort().map((name) => path.join("specs", name));
    const proving = specs.filter((spec) => PROVING.includes(spec));
    const others = specs.filter((spec) => !PROVING.includes(spec));
    if (others.length) failed = await serving("off", () => run(others));
    if (proving.length && !failed) failed = await serving("required", () => run(proving));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed;

/**
 * Runs work while a server is there, by itself: two would take each other's letters.
 * @param {"off" | "required"} verification
 * @param {() => Promise<number>} work
 */
async function serving(verification, work) {
  const server = spawn(program, ["serve", "--migrate"], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      PATH: process.env.PATH,
      SALLYPORT_LISTEN: `127.0.0.1:${port}`,
      SALLYPORT_PUBLIC_URL: url,
      SALLYPORT_DATABASE_URL: database,
      SALLYPORT_DEMO: "true",
      SALLYPORT_KEYS_SEAL_FILE: path.join(folder, "keys/seal.json"),
      SALLYPORT_KEYS_DIGEST_FILE: path.join(folder, "keys/digest.key"),
      SALLYPORT_ACCOUNTS_EMAIL_VERIFICATION: verification,
      SALLYPORT_POLICY_FILE: policy,
      SALLYPORT_CLIENTS_FILE: clients,
      SALLYPORT_WEBHOOKS_ALLOW: "127.0.0.0/8,::1/128",
      SALLYPORT_APPS_ORIGINS: screensURL,
      SALLYPORT_MAIL_VIEWER: `127.0.0.1:${mailPort}`,
      // Browser and camera are on this machine too, and people at the camera are not the ones to wait for others.
      SALLYPORT_FACE_WORKERS: "2",
      SALLYPORT_FACE_NICE: "0",
      SALLYPORT_FACE_MODELS: models,
      ...(process.env.SALLYPORT_FACE_WORKER ? { SALLYPORT_FACE_WORKER: process.env.SALLYPORT_FACE_WORKER } : {}),
      SALLYPORT_LOG_LEVEL: process.env.SALLYPORT_LOG_LEVEL ?? "warn",
    },
  });
  try {
    await ready(server);
    return await work();
  } finally {
    if (server.exitCode === null) {
      server.kill("SIGTERM");
      await once(server, "exit");
    }
  }
}

/**
 * With models there, also until the face workers have loaded them.
 * @param {import("node:child_process").ChildProcess} server
 */
async function ready(server) {
  const faces = existsSync(path.join(models, "MANIFEST.json"));
  let answer = null;
  for (let tries = 0; tries < 600; tries++) {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode} before it was ready`);
    answer = await fetch(`${url}/readyz`).then((r) => (r.ok ? r.json() : null)).catch(() => null);
    if (answer && (answer.face || !faces)) return;
    await sleep(100);
  }
  if (!answer) throw new Error("the server was not ready after a minute");
  console.log("face is unavailable: what needs it will fail or skip");
}

/** @param {string[]} specs */
async function run(specs) {
  const together = specs.filter((spec) => !ALONE.includes(spec));
  const alone = specs.filter((spec) => ALONE.includes(spec));
  return (await test(3, together)) || (await test(1, alone));
}

/**
 * @param {number} atOnce
 * @param {string[]} specs
 */
function test(atOnce, specs) {
  if (specs.length === 0) return 0;
  return node(["--test", `--test-concurrency=${atOnce}`, "--test-timeout=400000", "--test-reporter=spec", ...specs]);
}

/** @param {string[]} args */
async function node(args) {
  const tests = spawn(process.execPath, args, {
    cwd: here,
    stdio: "inherit",
    env: {
      ...process.env, SALLYPORT_E2E_URL: url, SALLYPORT_E2E_POLICY: policy, SALLYPORT_E2E_MAIL: `http://127.0.0.1:${mailPort}`, SALLYPORT_E2E_APP_URL: appURL,
      SALLYPORT_E2E_ELSEWHERE_URL: elsewhereURL, SALLYPORT_E2E_CHAT_URL: chatURL, SALLYPORT_E2E_SCREENS_URL: screensURL, SALLYPORT_E2E_SPA_URL: spaURL, SALLYPORT_E2E_BANK_URL: bankURL,
    },
  });
  const [code] = await once(tests, "exit");
  return code ?? 1;
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (probe.address());
  probe.close();
  return port;
}
