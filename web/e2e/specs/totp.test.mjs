import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { arrivesAt, launch, looksRight, openTab, says } from "../helpers/browser.mjs";
import { call, endSession, enterPassword, joinWithApp, register, sessionOf, signOut, somebody } from "../helpers/people.mjs";
import { AuthenticatorApp } from "../helpers/totp.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("set up an authenticator app, sign out, sign in with password and code", async (t) => {
  const page = await openTab(t, browser);
  const person = somebody();
  await register(page, person);
  await page.getByRole("button", { name: /^Authenticator app/ }).click();
  await page.locator(".qr svg path").waitFor();
  const secret = (await page.locator("[data-secret]").textContent()) ?? "";
  const link = new URL((await page.locator("[data-otpauth]").getAttribute("href")) ?? "");
  assert.equal(link.searchParams.get("secret"), secret.replaceAll(" ", ""));
  await looksRight(page);
  person.app = new AuthenticatorApp(secret);
  await page.getByLabel("Type the six digits it shows").fill(await person.app.fresh());
  await page.getByRole("heading", { name: "You’re in" }).waitFor();
  await page.getByText("Save recovery codes too").waitFor();
  await page.getByRole("link", { name: "Continue" }).click();
  await arrivesAt(page, "/chat");

  await signOut(page);
  await enterPassword(page, person);
  await page.waitForURL((url) => url.pathname === "/verify");
  await looksRight(page);
  const code = await person.app.fresh();
  await page.getByLabel(/Six digits/).fill(`${code.slice(0, 3)} ${code.slice(3)}`);
  await arrivesAt(page, "/chat");
  assert.equal((await sessionOf(page)).acr, "aal2");
});

test("a wrong code while setting up is said and mended", async (t) => {
  const page = await openTab(t, browser, { refusals: [422] });
  await register(page, somebody());
  await page.getByRole("button", { name: /^Authenticator app/ }).click();
  await page.locator(".qr svg path").waitFor();
  const app = new AuthenticatorApp((await page.locator("[data-secret]").textContent()) ?? "");
  const right = await app.fresh();
  const wrong = String((Number(right) + 1) % 1_000_000).padStart(6, "0");
  await page.getByLabel("Type the six digits it shows").fill(wrong);
  await says(page, /That code isn’t right/);
  await looksRight(page);
  await page.getByLabel("Type the six digits it shows").fill(right);
  await page.getByRole("heading", { name: "You’re in" }).waitFor();
});

test("a code works once", async (t) => {
  const page = await openTab(t, browser, { refusals: [422] });
  const person = somebody();
  await joinWithApp(page, person);
  await endSession(page);
  await enterPassword(page, person);
  await page.waitForURL((url) => url.pathname === "/verify");
  await page.getByLabel(/Six digits/).fill(person.app.again());
  await says(page, /That code isn’t right, or it was used already/);
  assert.equal((await sessionOf(page)).state, "second_factor_required");
  await looksRight(page);
  await page.getByLabel(/Six digits/).fill(await person.app.fresh());
  await arrivesAt(page, "/chat");
});

test("the last second step is not offered to be removed", async (t) => {
  const page = await openTab(t, browser);
  const person = somebody();
  await joinWithApp(page, person);
  await page.goto("/account/security");
  await page.getByText("This one has to stay").waitFor();
  assert.equal(await page.getByRole("button", { name: "Remove the app" }).count(), 0);
  assert.deepEqual((await sessionOf(page)).factors, ["totp"]);
});

test("too many wrong codes have to wait, and say so", async (t) => {
  const page = await openTab(t, browser, { refusals: [422, 429] });
  const person = somebody();
  await joinWithApp(page, person);
  await endSession(page);
  await enterPassword(page, person);
  await page.waitForURL((url) => url.pathname === "/verify");
  const limit = Number(process.env.SALLYPORT_E2E_TOTP_LIMIT ?? 5);
  for (let i = 0; i < limit; i++) await call(page, "POST", "/v1/verify/totp", { code: "000000" });
  await page.getByLabel(/Six digits/).fill("000001");
  await says(page, /Too many tries\. Wait .*(second|minute)/);
  await looksRight(page);
});
