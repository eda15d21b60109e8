// People and what they do: by the pages where that is what a test is about, by the API where it only sets the scene.

import { randomBytes } from "node:crypto";
import assert from "node:assert/strict";
import { arrivesAt } from "./browser.mjs";
import { AuthenticatorApp } from "./totp.mjs";

export function somebody(name = "pat") {
  const username = `${name}-${randomBytes(5).toString("hex")}`;
  return { username, email: `${username}@example.com`, password: `moss ${randomBytes(6).toString("hex")} lantern` };
}

/** @typedef {ReturnType<typeof somebody> & {app?: AuthenticatorApp, codes?: string[]}} Person */

/**
 * @param {import("playwright-core").Page} page
 * @param {Person} person
 */
export async function register(page, person, next = "") {
  await page.goto(`/register${next && `?next=${encodeURIComponent(next)}`}`);
  await page.getByLabel("Email").fill(person.email);
  await page.getByLabel("Username").fill(person.username);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Create the account" }).click();
  await page.getByRole("heading", { name: "Choose your second step" }).waitFor();
  // The words are there before the scripts that make the buttons work.
  await page.waitForLoadState();
}

/**
 * @param {import("playwright-core").Page} page
 * @param {Person} person
 */
export async function enterPassword(page, person, next = "") {
  await page.goto(`/login${next && `?next=${encodeURIComponent(next)}`}`);
  await page.getByLabel("Email or username").fill(person.username);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Continue", exact: true }).click();
}

/** @param {import("playwright-core").Page} page */
export async function signOut(page) {
  await page.getByRole("button", { name: "Sign out", exact: true }).first().click();
  await arrivesAt(page, "/login");
}

/**
 * Ends the session behind the page's back, once nothing is on the page that would notice.
 * @param {import("playwright-core").Page} page
 */
export async function endSession(page) {
  await page.goto("about:blank");
  await must(page, "DELETE", "/v1/session");
}

/**
 * Calls /v1 with the browser's cookies.
 * @param {import("playwright-core").Page} page
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
export async function call(page, method, path, body) {
  const answer = await page.context().request.fetch(path, { method, data: body });
  const text = await answer.text();
  return { status: answer.status(), body: text && text.startsWith("{") ? JSON.parse(text) : null };
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
export async function must(page, method, path, body) {
  let answer = await call(page, method, path, body);
  if (answer.body?.code === "step_up_required") {
    // What is fresh enough is granted without another proof; anything else is for the dialog.
    const asked = await call(page, "POST", "/v1/step-up", { purpose: answer.body.purpose, object: answer.body.object });
    assert.ok(asked.body.granted, `${method} ${path} needs a proof: ${JSON.stringify(asked.body)}`);
    answer = await call(page, method, path, body);
  }
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/**
 * An account with an authenticator app, signed in at level 2.
 * @param {import("playwright-core").Page} page
 * @param {Person} person
 */
export async function joinWithApp(page, person) {
  await must(page, "POST", "/v1/accounts", { email: person.email, username: person.username, password: person.password });
  await addApp(page, person);
}

/**
 * @param {import("playwright-core").Page} page
 * @param {Person} person
 */
export async function addApp(page, person) {
  const { secret } = await must(page, "POST", "/v1/me/totp", {});
  person.app = new AuthenticatorApp(secret);
  return must(page, "POST", "/v1/me/totp/confirm", { code: await person.app.fresh() });
}

/**
 * Gives the dialog what it asks for: the password, then the passkey that is plugged in, or a code.
 * @param {import("playwright-core").Page} page
 * @param {Person} person
 */
export async function confirmInDialog(page, person) {
  const dialog = page.getByRole("dialog", { name: "Confirm it’s you" });
  await dialog.getByLabel("Your password", { exact: true }).fill(person.password);
  await dialog.getByRole("button", { name: "Continue" }).click();
  await dialog.locator("[data-factor]:visible").waitFor();
  const passkey = dialog.getByRole("button", { name: "Confirm with your passkey" });
  if (await passkey.isVisible()) await passkey.click();
  else await dialog.getByLabel(/Six digits/).fill(await person.app.fresh());
}

/**
 * Password and app by the API: how a test gets past both doors when it is about something behind them.
 * @param {import("playwright-core").Page} page
 * @param {Person} person
 */
export async function comeIn(page, person) {
  await must(page, "POST", "/v1/login", { identifier: person.username, password: person.password });
  return must(page, "POST", "/v1/verify/totp", { code: await person.app?.fresh() });
}

/**
 * @param {import("playwright-core").Page} page
 * @param {Person} person
 */
export async function saveCodes(page, person) {
  const { codes } = await must(page, "POST", "/v1/me/recovery-codes", {});
  person.codes = codes;
}

/**
 * @param {import("playwright-core").Page} page
 * @param {Person} person
 */
export async function knock(page, person) {
  return must(page, "POST", "/v1/login", { identifier: person.username, password: person.password });
}

/** @param {import("playwright-core").Page} page */
export async function sessionOf(page) {
  return must(page, "GET", "/v1/session");
}

/**
 * The second door, with the camera's panel open.
 * @param {import("playwright-core").Page} page
 * @param {Person} person
 * @param {string} [next]
 */
export async function comeToTheCamera(page, person, next) {
  await page.context().clearCookies();
  await enterPassword(page, person, next);
  await page.waitForURL((url) => url.pathname === "/verify");
  const shown = page.locator("[data-factor=face]");
  if (!(await shown.isVisible())) await page.getByRole("button", { name: /^Your face/ }).click();
}

/**
 * Puts away the code that takes the place of a used one.
 * @param {import("playwright-core").Page} page
 */
export async function keepCode(page) {
  await page.getByLabel("I have saved this code.").check();
  await page.getByRole("button", { name: "Continue" }).click();
}
