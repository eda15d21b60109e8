// The samples of docs/samples/transactions, run as they are.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { secret } from "./app.mjs";
import { bankURL, base } from "./browser.mjs";

const samples = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../../docs/samples/transactions");

/**
 * Has a sample answer while a test runs.
 * @param {import("node:test").TestContext} t
 * @param {"go" | "node"} kind
 * @param {string} at
 */
export async function openBank(t, kind, at = bankURL) {
  const { port, hostname } = new URL(at);
  const env = { PATH: process.env.PATH, SALLYPORT: base, CLIENT_ID: "bank", CLIENT_SECRET: secret, APP: at, PORT: port, LISTEN: `${hostname}:${port}`, PAGE: path.join(samples, "page.html") };
  let command = [process.execPath, path.join(samples, "node/server.mjs")];
  if (kind === "go") {
    const folder = mkdtempSync(path.join(tmpdir(), "sallyport-bank-"));
    t.after(() => rmSync(folder, { recursive: true }));
    command = [path.join(folder, "bank")];
    execFileSync("go", ["build", "-o", command[0], "."], { cwd: path.join(samples, "go"), stdio: ["ignore", "ignore", "inherit"] });
  }
  const server = spawn(command[0], command.slice(1), { env, stdio: ["ignore", "inherit", "inherit"] });
  t.after(async () => {
    server.kill();
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
  });
  for (let tries = 0; tries < 100; tries++) {
    if (await fetch(at).then(() => true, () => false)) return;
    await sleep(50);
  }
  throw new Error(`the ${kind} sample does not answer`);
}
