// Registering, the first door, and where it leads.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { arrivesAt, launch, looksRight, openTab, says } from "../helpers/browser.mjs";
import { call, comeIn, endSession, enterPassword, joinWithApp, register, sessionOf, signOut, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("a new account is led to choose its second step", async (t) => {
  const page = await openTab(t, browser);
  await page.goto("/register");
  await looksRight(page);
  await register(page, somebody());
  assert.equal(new URL(page.url()).pathname, "/account/security");
  await looksRight(page);
  assert.equal((await sessionOf(page)).state, "enrolment_required");
});

test("what can't be registered is said beside its field", async (t) => {
  const page = await openTab(t, browser, { refusals: [400, 409] });
  const person = somebody();
  await page.goto("/register");
  await page.getByRole("button", { name: "Create the account" }).click();
  await page.locator("#email-error").filter({ hasText: "Type your email address." }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "email");

  await page.getByLabel("Email").fill(person.email);
  await page.getByLabel("Username").fill(person.username);
  await page.getByLabel("Password", { exact: true }).fill("short");
  await page.getByRole("button", { name: "Create the account" }).click();
  await page.locator("#password-error").filter({ hasText: /at least 8 characters/ }).waitFor();

  await page.getByLabel("Password", { exact: true }).fill("password123");
  await page.getByRole("button", { name: "Create the account" }).click();
  await page.locator("#password-error").filter({ hasText: /\.$/ }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "password");
  await looksRight(page);

  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByLabel("Username").fill("with@sign");
  await page.getByRole("button", { name: "Create the account" }).click();
  await page.locator("#username-error").filter({ hasText: /letters and digits/i }).waitFor();

  const other = await openTab(t, browser);
  await joinWithApp(other, person);
  await page.getByLabel("Username").fill(person.username);
  await page.getByRole("button", { name: "Create the account" }).click();
  await says(page, /taken|registered|exists/i);
});

test("advice on a new password comes while it is typed", async (t) => {
  const page = await openTab(t, browser);
  await page.goto("/register");
  const advice = page.locator("[data-advice]");
  await page.getByLabel("Password", { exact: true }).fill("aaaaaaaa");
  await page.waitForFunction(() => document.querySelector("[data-advice]")?.hasAttribute("data-score"));
  const weak = Number(await advice.getAttribute("data-score"));
  await page.getByLabel("Password", { exact: true }).fill(somebody().password);
  await page.waitForFunction((score) => Number(document.querySelector("[data-advice]")?.getAttribute("data-score")) > score, weak);
  assert.notEqual(await advice.textContent(), "");
});

test("a wrong password and an unknown name get the same words", async (t) => {
  const page = await openTab(t, browser, { refusals: [401] });
  const person = somebody();
  await joinWithApp(page, person);
  await endSession(page);
  const words = [];
  for (const stranger of [{ ...person, password: "not the right one" }, somebody()]) {
    await enterPassword(page, stranger);
    const alert = page.locator("form [role=alert]");
    await alert.waitFor();
    words.push(await alert.textContent());
  }
  assert.equal(words[0], words[1]);
  await looksRight(page);
});

test("signing out closes the account's pages", async (t) => {
  const page = await openTab(t, browser);
  await joinWithApp(page, somebody());
  await page.goto("/account");
  await looksRight(page);
  await signOut(page);
  await page.goto("/account");
  await arrivesAt(page, "/login?next=%2Faccount");
});

test("the first door leads to the second, and both to where the person was going", async (t) => {
  const page = await openTab(t, browser);
  const person = somebody();
  await joinWithApp(page, person);
  await endSession(page);
  await page.goto("/account/sessions");
  await page.waitForURL((url) => url.pathname === "/login");
  await page.getByLabel("Email or username").fill(person.email);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === "/verify" && url.searchParams.get("next") === "/account/sessions");
  await page.getByLabel(/Six digits/).fill(await person.app.fresh());
  await arrivesAt(page, "/account/sessions");
});

test("an address on another site is no place to go on to", async (t) => {
  const page = await openTab(t, browser);
  const person = somebody();
  await joinWithApp(page, person);
  for (const next of ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]) {
    await endSession(page);
    await enterPassword(page, person, next);
    await page.waitForURL((url) => url.pathname === "/verify");
    if (next === "//evil.example/") {
      await page.getByLabel(/Six digits/).fill(await person.app.fresh());
      await arrivesAt(page, "/chat");
    }
  }
});

test("a password is changed with the old one, and ends the other sessions", async (t) => {
  const page = await openTab(t, browser, { refusals: [403, 422] });
  const other = await openTab(t, browser);
  const person = somebody();
  await joinWithApp(other, person);
  await comeIn(page, person);
  await page.goto("/account");
  await page.getByRole("button", { name: "Change the password" }).first().click();
  await looksRight(page);
  const form = page.locator("#change-password");
  await form.getByLabel("Current password").fill("something else");
  await form.getByLabel("New password").fill("a lantern in the moss 77");
  await form.getByRole("button", { name: "Change the password" }).click();
  await page.getByRole("dialog").getByLabel(/Six digits/).fill(await person.app.fresh());
  await page.locator("#current-error").filter({ hasText: /not your current password/i }).waitFor();
  await form.getByLabel("Current password").fill(person.password); // one proof for one change: it was not made yet
  await form.getByRole("button", { name: "Change the password" }).click();
  await says(page, /Your password is changed/);
  assert.equal((await sessionOf(page)).state, "authenticated");
  assert.equal((await call(other, "GET", "/v1/session")).status, 401);
});
