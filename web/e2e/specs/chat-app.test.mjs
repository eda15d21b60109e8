import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { secret } from "../helpers/app.mjs";
import { base, chatURL, launch, looksRight, newProfile, openTab } from "../helpers/browser.mjs";
import { comeIn, confirmInDialog, endSession, joinWithApp, must, somebody } from "../helpers/people.mjs";

const streamSecret = "a secret that a chat service gave out";

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("node:child_process").ChildProcess} */
let chat;
before(async () => {
  browser = await launch();
  const program = path.join(path.dirname(process.env.SALLYPORT_BIN ?? ""), "sallyport-chat");
  chat = spawn(program, {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      PATH: process.env.PATH, CHAT_LISTEN: new URL(chatURL).host, CHAT_ISSUER: base, CHAT_CLIENT_ID: "portico", CHAT_CLIENT_SECRET: secret,
      CHAT_DATABASE_URL: process.env.SALLYPORT_E2E_DATABASE_URL, CHAT_STREAM_KEY: "key", CHAT_STREAM_SECRET: streamSecret,
    },
  });
  for (let tries = 0; tries < 100; tries++) {
    if (await fetch(chatURL).catch(() => null)) return;
    await sleep(100);
  }
  throw new Error("the chat was not ready after ten seconds");
});
after(async () => {
  await browser.close();
  chat.kill("SIGTERM");
  if (chat.exitCode === null) await once(chat, "exit");
});

/**
 * Two tabs of somebody who is signed in at the chat.
 * @param {import("node:test").TestContext} t
 */
async function chatting(t) {
  const person = somebody();
  const profile = await newProfile(browser);
  t.after(() => profile.close());
  const page = await openTab(t, profile, { refusals: [401, 403] }); // that a fresh sign-in is wanted, there and here
  await joinWithApp(page, person);
  await page.goto(chatURL);
  await page.getByRole("link", { name: "Sign in with Sallyport" }).click();
  await page.getByRole("heading", { name: "Rooms" }).waitFor();
  return { person, profile, page };
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
async function makeRoom(page, name) {
  await page.getByLabel("A new room").fill(name);
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("heading", { name }).waitFor();
}

test("somebody signs in on the way to a room, and talks there", async (t) => {
  const person = somebody();
  const page = await openTab(t, browser);
  await joinWithApp(page, person);
  await endSession(page);
  await page.goto(chatURL);
  await looksRight(page);
  await page.goto(`${chatURL}/rooms`);
  await page.waitForURL((url) => url.href.startsWith(`${base}/login`));
  await comeIn(page, person);
  await page.reload();
  await page.getByRole("heading", { name: "Rooms" }).waitFor();
  await looksRight(page);
  await makeRoom(page, "Garden");
  await page.getByLabel("Your message").fill("The <b>tomatoes</b> are ripe");
  await page.getByLabel("Your message").press("Enter");
  await page.getByText("The <b>tomatoes</b> are ripe").waitFor();
  await looksRight(page);

  const answer = await page.evaluate(async () => (await fetch("/api/stream-token", { method: "POST" })).json());
  const [head, payload, signature] = answer.token.split(".");
  assert.equal(createHmac("sha256", streamSecret).update(`${head}.${payload}`).digest("base64url"), signature);
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  assert.equal(claims.user_id, (await page.evaluate(async () => (await fetch("/api/me")).json())).sub);
});

test("a room is deleted by who confirms that it’s them, and everybody in it is told", async (t) => {
  const { person, profile, page } = await chatting(t);
  await makeRoom(page, "Cellar");
  const other = await openTab(t, profile);
  await other.goto(page.url());
  await other.getByRole("heading", { name: "Cellar" }).waitFor();
  await page.getByLabel("Your message").fill("Mind the step");
  await page.getByRole("button", { name: "Send" }).click();
  await other.getByText("Mind the step").waitFor();
  await page.getByRole("button", { name: "Delete this room" }).click();
  await page.getByRole("button", { name: "Confirm it’s me" }).click();
  await confirmInDialog(page, person);
  await page.waitForURL(`${chatURL}/rooms`);
  await other.getByRole("heading", { name: "Rooms" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Cellar" }).count(), 0);
});

test("signing out everywhere closes what is open at the chat", async (t) => {
  const { profile, page } = await chatting(t);
  await makeRoom(page, "Attic");
  const account = await openTab(t, profile);
  await account.goto(`${base}/privacy/biometrics`); // which notices no end
  await must(account, "DELETE", "/v1/me/sessions?scope=all");
  await page.getByRole("heading", { name: "You were signed out" }).waitFor();
  await looksRight(page);
  assert.equal(await page.getByText("Attic").isVisible(), false);
  assert.equal(await page.evaluate(async () => (await fetch("/api/me")).status), 401);
  await page.goto(`${chatURL}/rooms`);
  await page.waitForURL((url) => url.href.startsWith(`${base}/login`));
});

test("signing out of the chat signs out at Sallyport", async (t) => {
  const { page } = await chatting(t);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Sign in with Sallyport" }).waitFor();
  await page.goto(`${base}/account`);
  await page.waitForURL((url) => url.pathname === "/login");
});
