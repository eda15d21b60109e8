// What holds for pages as such: by keyboard alone, without scripts, where nothing is.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { arrivesAt, base, launch, looksRight, openTab } from "../helpers/browser.mjs";
import { endSession, joinWithApp, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("both doors open by keyboard alone", async (t) => {
  const page = await openTab(t, browser);
  const person = somebody();
  await joinWithApp(page, person);
  await endSession(page);
  await page.goto("/login");
  const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent?.trim());
  const tabTo = async (id) => {
    for (let i = 0; i < 12 && (await focused()) !== id; i++) await page.keyboard.press("Tab");
    assert.equal(await focused(), id);
  };
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to the content");
  await tabTo("identifier");
  await page.keyboard.type(person.email);
  await tabTo("password");
  await page.keyboard.type(person.password);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === "/verify");
  // The one thing to do here has the focus already.
  await page.waitForFunction(() => document.activeElement?.id === "verify-totp");
  await page.keyboard.type(await person.app.fresh());
  await arrivesAt(page, "/chat");
});

test("a password is shown and hidden", async (t) => {
  const page = await openTab(t, browser);
  await page.goto("/login");
  const field = page.getByLabel("Password", { exact: true });
  await page.getByRole("button", { name: "Show password" }).click();
  assert.equal(await field.getAttribute("type"), "text");
  await page.getByRole("button", { name: "Hide password" }).click();
  assert.equal(await field.getAttribute("type"), "password");
});

test("an address where nothing is says so", async (t) => {
  const page = await openTab(t, browser, { refusals: [404] });
  const answer = await page.goto("/nowhere");
  assert.equal(answer?.status(), 404);
  await page.getByRole("heading", { name: "There’s nothing here" }).waitFor();
  await looksRight(page);
});

test("without scripts the page says what is missing, and no password ends up in an address", async (t) => {
  const page = await openTab(t, browser, { javaScriptEnabled: false, refusals: [404] });
  await page.goto("/login");
  await page.locator("noscript p").waitFor();
  await page.getByLabel("Email or username").fill("somebody");
  await page.getByLabel("Password", { exact: true }).fill("very secret");
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await page.waitForLoadState();
  assert.equal(page.url().includes("secret"), false);
});

test("answers carry their headers", async () => {
  const page = await fetch(`${base}/login`);
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  assert.match(policy, /style-src 'self'(;|$)/);
  assert.match(page.headers.get("permissions-policy") ?? "", /camera=\(self\)/);
  assert.match(page.headers.get("cache-control") ?? "", /no-store/);
  assert.equal(page.headers.get("server"), null);
  const [, asset] = /src="(\/static\/[^"]+\.js)"/.exec(await page.text()) ?? [];
  const script = await fetch(base + asset);
  assert.equal(script.status, 200);
  assert.match(script.headers.get("cache-control") ?? "", /immutable/);
  assert.match(script.headers.get("content-type") ?? "", /text\/javascript/);
});
