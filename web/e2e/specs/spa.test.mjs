// The sample of a single-page app, as docs/native.md shows it: its own server and page, in a browser.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { secret } from "../helpers/app.mjs";
import { base, launch, openTab, spaURL } from "../helpers/browser.mjs";
import { comeIn, endSession, joinWithApp, somebody } from "../helpers/people.mjs";

const root = path.resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(path.join(tmpdir(), "sallyport-spa-"));

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("node:child_process").ChildProcess} */
let sample;

before(async () => {
  const program = path.join(folder, "spa");
  execFileSync("go", ["build", "-o", program, "./docs/samples/spa"], { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, CGO_ENABLED: "0" } });
  sample = spawn(program, { stdio: "inherit", env: { ISSUER: base, ORIGIN: spaURL, CLIENT_ID: "spa", CLIENT_SECRET: secret } });
  browser = await launch();
  for (let tries = 0; tries < 100; tries++) {
    if (await fetch(spaURL).then(() => true, () => false)) return;
    await sleep(100);
  }
  throw new Error("the sample was not ready after ten seconds");
});
after(async () => {
  await browser.close();
  sample.kill();
  await once(sample, "exit");
  rmSync(folder, { recursive: true, force: true });
});

test("somebody signs in, several tabs take turns, and signing out counts here and there", async (t) => {
  const person = somebody();
  const page = await openTab(t, browser, { refusals: [401, 404] });
  await joinWithApp(page, person);
  await endSession(page);
  await page.goto(spaURL);
  await page.getByText("Nobody is signed in.").waitFor();
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.origin === base && url.pathname === "/login");
  await comeIn(page, person);
  await page.reload();
  await page.getByText(/^Hello [0-9a-f-]{36}, signed in by aal2\.$/).waitFor();
  assert.equal(new URL(page.url()).origin, spaURL);
  assert.equal(await page.evaluate(() => document.cookie), "");

  // A refresh token serves once, so tabs that all want one at once would end the sign-in but for their taking turns.
  const tabs = await Promise.all([1, 2, 3, 4].map(() => openTab(t, page.context(), { refusals: [404] })));
  await Promise.all(tabs.map((tab) => tab.goto(spaURL)));
  for (const tab of tabs) await tab.getByText(/^Hello/).waitFor();

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL((url) => url.origin === base && url.pathname === "/oauth/end-session");
  await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${spaURL}/`);
  await page.getByText("Nobody is signed in.").waitFor();
  assert.equal((await page.context().request.get(`${base}/v1/session`)).status(), 401);
});
