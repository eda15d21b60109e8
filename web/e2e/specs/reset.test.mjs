// A forgotten password: a letter's link, the second step, and a new password. Nobody is signed in by it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { arrivesAt, launch, looksRight, openTab, phone, says } from "../helpers/browser.mjs";
import { letterTo, linkIn } from "../helpers/mail.mjs";
import { call, joinWithApp, sessionOf, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("a forgotten password is replaced, with the second step", async (t) => {
  const page = await openTab(t, browser, { viewport: phone, refusals: [410] });
  const other = await openTab(t, browser);
  const person = somebody();
  await joinWithApp(other, person);

  await page.goto("/login");
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await arrivesAt(page, "/forgot");
  await looksRight(page);
  await page.getByLabel("Email").fill(person.email);
  await page.getByRole("button", { name: "Send me a link" }).click();
  await says(page, /Look into your mailbox/);
  await looksRight(page);

  const link = linkIn(await letterTo(person.email, /Choose a new password/), "password-reset");
  await page.goto(link);
  await looksRight(page);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.waitForURL((url) => url.pathname === "/verify");
  await page.getByText("Then you choose your new password.").waitFor();
  await looksRight(page);
  await page.getByLabel(/Six digits/).fill(await person.app.fresh());
  await arrivesAt(page, "/reset");
  assert.equal((await sessionOf(page)).state, "resetting");
  await looksRight(page);
  await page.getByLabel("New password").fill("a lantern in the moss 78");
  await page.getByRole("button", { name: "Set the new password" }).click();
  await arrivesAt(page, "/login");
  await says(page, /Sign in with the new one/);
  assert.equal((await call(other, "GET", "/v1/session")).status, 401);
  assert.equal((await call(page, "POST", "/v1/login", { identifier: person.username, password: "a lantern in the moss 78" })).status, 200);

  await page.context().clearCookies();
  await page.goto("about:blank");
  await page.goto(link);
  await page.getByRole("button", { name: "Go on" }).click();
  await says(page, /doesn’t work any more/);
  await looksRight(page);
});
