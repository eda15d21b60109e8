import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { arrivesAt, launch, looksRight, openTab, says } from "../helpers/browser.mjs";
import { call, comeIn, endSession, enterPassword, joinWithApp, keepCode, saveCodes, sessionOf, somebody } from "../helpers/people.mjs";
import { plugIn } from "../helpers/authenticator.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const SHAPE = /^\d\d(-[A-Z2-7]{4}){4}$/;

test("codes are shown once, copied, downloaded and counted", async (t) => {
  const page = await openTab(t, browser, { refusals: [403], permissions: ["clipboard-read", "clipboard-write"] });
  await joinWithApp(page, somebody());
  await page.goto("/account/security");
  await page.getByRole("button", { name: "Show my recovery codes" }).click();
  await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  const codes = await page.locator("[data-codes-list] li").allTextContents();
  assert.equal(codes.length, 10);
  for (const code of codes) assert.match(code, SHAPE);
  await looksRight(page);

  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), codes.join("\n"));
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
  const saved = await readFile(await download.path(), "utf8");
  for (const code of codes) assert.ok(saved.includes(code));
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => document.body.classList.add("printing-codes"));
  assert.equal(await page.locator("h1").evaluate((e) => getComputedStyle(e).visibility), "hidden");
  assert.equal(await page.locator("[data-codes-list]").evaluate((e) => getComputedStyle(e).visibility), "visible");
  await page.evaluate(() => document.body.classList.remove("printing-codes"));
  await page.emulateMedia({ media: null });

  const go = page.getByRole("button", { name: "Continue" });
  assert.equal(await go.isDisabled(), true);
  await page.getByLabel("I have saved these codes.").check();
  await go.click();
  await page.getByText("10 of 10 left").waitFor();
});

test("a code opens only the way back: a new second step, then signing in anew", async (t) => {
  const page = await openTab(t, browser, { refusals: [422] });
  const device = await plugIn(page);
  const person = somebody();
  await joinWithApp(page, person);
  await saveCodes(page, person);
  await endSession(page);
  await device.answer(false);
  await enterPassword(page, person);
  await page.waitForURL((url) => url.pathname === "/verify");
  await page.getByRole("button", { name: /^Recovery code/ }).click();
  await looksRight(page);
  await page.getByLabel("One of your recovery codes").fill("01-AAAA-AAAA-AAAA-AAAA");
  await page.getByRole("button", { name: "Use this recovery code" }).click();
  await says(page, /isn’t one of your unused codes/);
  await page.getByLabel("One of your recovery codes").fill(person.codes[6].toLowerCase());
  await page.getByRole("button", { name: "Use this recovery code" }).click();
  await page.getByRole("heading", { name: "A new code for the one you used" }).waitFor();
  const fresh = await page.locator("[data-codes-list] li").allTextContents();
  assert.equal(fresh.length, 1);
  assert.match(fresh[0], SHAPE);
  assert.equal(fresh[0].slice(0, 3), person.codes[6].slice(0, 3));
  await looksRight(page);
  await keepCode(page);
  await page.getByRole("heading", { name: "Set up a new second step" }).waitFor();
  assert.equal((await sessionOf(page)).state, "recovering");
  await page.getByText("10 of 10 left").waitFor();
  await looksRight(page);

  for (const closed of ["/account", "/chat"]) {
    await page.goto(closed);
    await page.waitForURL((url) => url.pathname === "/account/security");
  }

  await device.answer(true);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("button", { name: "Create the passkey" }).click();
  await says(page, /Your passkey is added/);
  assert.equal((await sessionOf(page)).state, "recovering");
  await device.answer(false);
  await page.getByRole("button", { name: "Finish and sign in again" }).click();
  await arrivesAt(page, "/login");
  await enterPassword(page, person);
  await page.waitForURL((url) => url.pathname === "/verify");
  const shown = page.locator("[data-factor=passkey]");
  if (!(await shown.isVisible())) await page.getByRole("button", { name: /^Passkey/ }).click();
  await device.answer(true);
  await page.getByRole("button", { name: "Sign in with your passkey" }).click();
  await arrivesAt(page, "/chat");
});

test("a code works once", async (t) => {
  const page = await openTab(t, browser, { refusals: [422] });
  const person = somebody();
  await joinWithApp(page, person);
  await saveCodes(page, person);
  for (const expected of ["recovering", "second_factor_required"]) {
    await endSession(page);
    await enterPassword(page, person);
    await page.waitForURL((url) => url.pathname === "/verify");
    await page.getByRole("button", { name: /^Recovery code/ }).click();
    await page.getByLabel("One of your recovery codes").fill(person.codes[2]);
    await page.getByRole("button", { name: "Use this recovery code" }).click();
    if (expected === "recovering") {
      await keepCode(page);
      await page.getByRole("heading", { name: "Set up a new second step" }).waitFor();
    } else await says(page, /isn’t one of your unused codes/);
    assert.equal((await sessionOf(page)).state, expected);
  }
});

test("a recovering session ends the others, and sets up an app anew", async (t) => {
  const page = await openTab(t, browser);
  const other = await openTab(t, browser);
  const person = somebody();
  await joinWithApp(page, person);
  await saveCodes(page, person);
  await comeIn(other, person);
  await endSession(page);
  await call(page, "POST", "/v1/login", { identifier: person.username, password: person.password });
  await call(page, "POST", "/v1/verify/recovery", { code: person.codes[0] });
  await page.goto("/account/security");
  await page.getByRole("button", { name: "Sign out everywhere else" }).click();
  await says(page, /Everywhere else is signed out/);
  assert.equal((await call(other, "GET", "/v1/session")).status, 401);
});

test("a new set of codes replaces the old one, after a question", async (t) => {
  const page = await openTab(t, browser, { refusals: [403] });
  const person = somebody();
  await joinWithApp(page, person);
  await saveCodes(page, person);
  await page.goto("/account/security");
  await page.getByRole("button", { name: "Make a new set of codes" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Make a new set" }).click();
  await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  const fresh = await page.locator("[data-codes-list] li").allTextContents();
  assert.equal(fresh.includes(person.codes[0]), false);
});
