import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, looksRight, openTab, says } from "../helpers/browser.mjs";
import { call, comeIn, joinWithApp, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("sessions are listed and ended, one and all", async (t) => {
  const person = somebody();
  const [here, there, third] = [await openTab(t, browser), await openTab(t, browser), await openTab(t, browser)];
  await joinWithApp(here, person);
  await comeIn(there, person);
  await here.goto("/account/sessions");
  assert.equal(await here.locator("[data-session]").count(), 2);
  await here.getByText("You’re here").waitFor();
  await looksRight(here);
  await here.getByRole("button", { name: /^Sign out (?!everywhere)./ }).click();
  await here.getByText("You aren’t signed in anywhere else.").waitFor();
  assert.equal((await call(there, "GET", "/v1/session")).status, 401);

  await comeIn(third, person);
  await here.reload();
  await here.getByRole("button", { name: "Sign out everywhere else" }).click();
  await looksRight(here);
  await here.getByRole("alertdialog").getByRole("button", { name: "Sign out everywhere else" }).click();
  await here.getByText("You aren’t signed in anywhere else.").waitFor();
  assert.equal((await call(third, "GET", "/v1/session")).status, 401);
  assert.equal((await call(here, "GET", "/v1/session")).status, 200);
});

test("somebody else's session can't be ended", async (t) => {
  const [mine, theirs] = [await openTab(t, browser), await openTab(t, browser)];
  await joinWithApp(mine, somebody());
  await joinWithApp(theirs, somebody());
  const { body } = await call(theirs, "GET", "/v1/me/sessions");
  const answer = await call(mine, "DELETE", `/v1/me/sessions/${body.sessions[0].id}`);
  assert.equal(answer.status, 404);
  assert.equal((await call(theirs, "GET", "/v1/session")).status, 200);
});

test("a page whose session was ended elsewhere leads back to the first door by itself", async (t) => {
  const person = somebody();
  const [here, there] = [await openTab(t, browser), await openTab(t, browser)];
  await joinWithApp(here, person);
  await comeIn(there, person);
  const open = here.waitForEvent("websocket", (line) => line.url().endsWith("/v1/session/events"));
  await here.goto("/account/security");
  await open;
  const left = here.waitForURL((url) => url.pathname === "/login" && url.searchParams.get("next") === "/account/security", { waitUntil: "commit" });
  await call(there, "DELETE", "/v1/me/sessions");
  const began = performance.now();
  await left;
  assert.ok(performance.now() - began < 1500, `the page took ${Math.round(performance.now() - began)} ms to leave`);
  await says(here, /You were signed out/);
});

test("signing out everywhere ends this session too", async (t) => {
  const person = somebody();
  const [here, there] = [await openTab(t, browser), await openTab(t, browser)];
  await joinWithApp(here, person);
  await comeIn(there, person);
  await there.goto("/account");
  await here.goto("/account/sessions");
  await here.getByRole("button", { name: "Sign out everywhere", exact: true }).click();
  await here.getByRole("alertdialog").getByRole("button", { name: "Sign out everywhere", exact: true }).click();
  await here.waitForURL((url) => url.pathname === "/login");
  await there.waitForURL((url) => url.pathname === "/login");
});

test("a new set of recovery codes brings the offer to sign out everywhere else", async (t) => {
  const person = somebody();
  const [here, there] = [await openTab(t, browser, { refusals: [403] }), await openTab(t, browser)];
  await joinWithApp(here, person);
  await comeIn(there, person);
  await there.goto("/account");
  await here.goto("/account/security");
  await here.getByRole("button", { name: "Show my recovery codes" }).click();
  await here.getByLabel("I have saved these codes.").check();
  await here.getByRole("button", { name: "Continue" }).click();
  await here.getByText("You’re still signed in at one other place.", { exact: false }).waitFor();
  await looksRight(here);
  await here.getByRole("button", { name: "Sign out everywhere else" }).click();
  await says(here, /Everywhere else is signed out/);
  assert.equal(await here.getByText("You’re still signed in", { exact: false }).isVisible(), false);
  await there.waitForURL((url) => url.pathname === "/login");
});
