import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { plugIn } from "../helpers/authenticator.mjs";
import { arrivesAt, launch, looksRight, openTab, says } from "../helpers/browser.mjs";
import { call, confirmInDialog, endSession, enterPassword, joinWithApp, register, sessionOf, signOut, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/**
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
async function choosePasskey(page, name) {
  await page.getByRole("button", { name: /^Passkey/ }).click();
  await page.getByRole("heading", { name: "Add a passkey" }).waitFor();
  await page.getByLabel(/^Name/).fill(name);
  await page.getByRole("button", { name: "Create the passkey" }).click();
  await page.getByRole("heading", { name: "You’re in" }).waitFor();
}

/**
 * A browser without suggestions: the device of these tests would choose the first one by itself.
 * @param {import("playwright-core").Page} page
 */
function suggestNothing(page) {
  return page.addInitScript(() => {
    if ("PublicKeyCredential" in window) PublicKeyCredential.isConditionalMediationAvailable = async () => false;
  });
}

test("register, add a passkey, sign out, sign in with password and passkey", async (t) => {
  const page = await openTab(t, browser);
  const device = await plugIn(page);
  const person = somebody();
  await register(page, person, "/account/sessions");
  await choosePasskey(page, "Test key");
  await looksRight(page);
  await page.getByRole("link", { name: "Continue" }).click();
  await arrivesAt(page, "/account/sessions");
  assert.equal((await sessionOf(page)).acr, "aal2");

  // The sign-in page would offer the passkey at once; here it is to be the second step.
  await device.answer(false);
  await signOut(page);
  await enterPassword(page, person);
  await page.waitForURL((url) => url.pathname === "/verify");
  await looksRight(page);
  await device.answer(true);
  await page.getByRole("button", { name: "Sign in with your passkey" }).click();
  await arrivesAt(page, "/chat");
  const session = await sessionOf(page);
  assert.deepEqual(session.methods.map((m) => m.method).sort(), ["passkey", "pwd"]);
  assert.equal(session.acr, "aal2");
});

test("a passkey signs in alone, chosen from the suggestions of the first field", async (t) => {
  const page = await openTab(t, browser);
  const device = await plugIn(page);
  const person = somebody();
  await register(page, person);
  await choosePasskey(page, "Suggested");
  assert.equal((await device.credentials())[0].isResidentCredential, true);
  await endSession(page);
  await page.goto("/login?next=%2Faccount");
  await arrivesAt(page, "/account");
  const session = await sessionOf(page);
  assert.deepEqual(session.methods.map((m) => m.method), ["passkey"]);
  assert.equal(session.acr, "aal2");
});

test("a passkey signs in alone by its button", async (t) => {
  const page = await openTab(t, browser);
  await plugIn(page);
  await suggestNothing(page);
  await register(page, somebody());
  await choosePasskey(page, "Pressed");
  await endSession(page);
  await page.goto("/login");
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await arrivesAt(page, "/chat");
});

test("a key that can't verify its user is a second step, and no way in alone", async (t) => {
  const page = await openTab(t, browser, { refusals: [401] });
  const device = await plugIn(page, { verifies: false });
  await suggestNothing(page);
  const person = somebody();
  await register(page, person);
  await choosePasskey(page, "Plain key");
  await endSession(page);
  await enterPassword(page, person);
  await page.waitForURL((url) => url.pathname === "/verify");
  await page.getByRole("button", { name: "Sign in with your passkey" }).click();
  await arrivesAt(page, "/chat");
  assert.equal((await sessionOf(page)).level, 2);

  await signOut(page);
  assert.equal(await askUnverified(page, device), 401);
  assert.equal((await call(page, "GET", "/v1/session")).status, 401);
});

test("the same request by a key that verified its user is taken", async (t) => {
  const page = await openTab(t, browser);
  const device = await plugIn(page);
  await suggestNothing(page);
  await register(page, somebody());
  await choosePasskey(page, "Good key");
  await endSession(page);
  await page.goto("/login");
  assert.equal(await askUnverified(page, device), 200);
});

/**
 * Signs in without a password as no page does: by a key that is named and need not verify its user. A browser would
 * not even try the key that can't; this gets as far as the server.
 * @param {import("playwright-core").Page} page
 * @param {Awaited<ReturnType<typeof plugIn>>} device
 * @returns {Promise<number | string>} the server's status
 */
async function askUnverified(page, device) {
  const [{ credentialId }] = await device.credentials();
  return page.evaluate(async (id) => {
    const post = (path, body) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const { publicKey } = await (await post("/v1/login/passkey/options", {})).json();
    const allowCredentials = [{ type: "public-key", id }];
    const options = PublicKeyCredential.parseRequestOptionsFromJSON({ ...publicKey, allowCredentials, userVerification: "preferred" });
    const credential = await navigator.credentials.get({ publicKey: options, signal: AbortSignal.timeout(5000) });
    if (!credential.response.userHandle) return "the key names no user";
    return (await post("/v1/login/passkey", credential)).status;
  }, credentialId.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
}

test("a passkey with a broken signature is refused in words", async (t) => {
  const page = await openTab(t, browser, { refusals: [422] });
  const device = await plugIn(page);
  const person = somebody();
  await register(page, person);
  await choosePasskey(page, "Broken");
  await device.answer(false);
  await endSession(page);
  await enterPassword(page, person);
  await page.waitForURL((url) => url.pathname === "/verify");
  await device.answer(true);
  await device.spoil(true);
  await page.getByRole("button", { name: "Sign in with your passkey" }).click();
  await says(page, /That passkey wasn’t accepted/);
  await looksRight(page);
  await device.spoil(false);
  await page.getByRole("button", { name: "Sign in with your passkey" }).click();
  await arrivesAt(page, "/chat");
});

test("passkeys are added, renamed and removed, but never the last second step", async (t) => {
  const page = await openTab(t, browser, { refusals: [403, 409] });
  const device = await plugIn(page);
  const person = somebody();
  await register(page, person);
  await choosePasskey(page, "First");
  await page.goto("/account/security");
  await looksRight(page);

  await page.getByText("This one has to stay").waitFor();
  assert.equal(await page.getByRole("button", { name: "Remove First" }).count(), 0);

  await page.getByRole("button", { name: "Rename First" }).click();
  await page.getByLabel("New name").fill("Desk");
  await page.getByRole("button", { name: "Save the name" }).click();
  await says(page, /now called “Desk”/);
  await page.getByText("Desk", { exact: true }).waitFor();

  // The same device again is on the exclude list; another one is not.
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("button", { name: "Create the passkey" }).click();
  await confirmInDialog(page, person);
  await says(page, /already has a passkey/);
  await looksRight(page);
  await device.unplug();
  await plugIn(page);
  await page.getByLabel(/^Name/).fill("Pocket");
  // What was proven a moment ago still stands: nothing was added by it yet.
  await page.getByRole("button", { name: "Create the passkey" }).click();
  await says(page, /Your passkey is added/);

  await page.getByRole("button", { name: "Remove Desk" }).click();
  await looksRight(page);
  await page.getByRole("button", { name: "Keep it" }).click();
  await page.getByRole("button", { name: "Remove Desk" }).click();
  await page.getByRole("button", { name: "Remove the passkey" }).click();
  await confirmInDialog(page, person);
  await says(page, /“Desk” is removed/);
  assert.equal(await page.locator("[data-passkey]").count(), 1);
});

test("an account with an app adds a passkey as well, and is asked for the one used last", async (t) => {
  const page = await openTab(t, browser, { refusals: [403] });
  const device = await plugIn(page);
  const person = somebody();
  await joinWithApp(page, person);
  await page.goto("/account/security");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("button", { name: "Create the passkey" }).click();
  await confirmInDialog(page, person);
  await says(page, /Your passkey is added/);
  await device.answer(false);
  await signOut(page);
  await enterPassword(page, person, "/account");
  await page.waitForURL((url) => url.pathname === "/verify");
  await looksRight(page);
  const first = await page.locator("[data-factor]:visible").getAttribute("data-factor");
  const other = first === "passkey" ? "Authenticator app" : "Passkey";
  await page.getByRole("button", { name: new RegExp(`^${other}`) }).click();
  assert.equal(await page.locator("[data-factor]:visible").count(), 1);
  if (first !== "passkey") await page.getByRole("button", { name: /^Authenticator app/ }).click();
  await page.getByLabel(/Six digits/).fill(await person.app.fresh());
  await arrivesAt(page, "/account");
});
