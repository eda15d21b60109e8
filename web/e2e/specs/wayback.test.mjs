// Ways back for somebody who lost what they sign in with: a letter and another factor, waiting, and two admins.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { arrivesAt, launch, looksRight, openTab, phone, says } from "../helpers/browser.mjs";
import { letterTo, linkIn } from "../helpers/mail.mjs";
import { confirmInDialog, endSession, enterPassword, joinWithApp, sessionOf, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/**
 * What the command line does: it needs the server's configuration, and this only its database.
 * @param {string} username
 */
function makeAdmin(username) {
  const database = process.env.SALLYPORT_E2E_DATABASE_URL ?? "";
  execFileSync("psql", [database, "-qc", `UPDATE users SET admin_since = now() WHERE username = '${username}'`]);
}

test("a letter and a second step that is left set another one up", async (t) => {
  const page = await openTab(t, browser, { viewport: phone });
  const person = somebody();
  await joinWithApp(page, person);
  await endSession(page);
  await page.goto("/forgot");
  await page.getByLabel("Email").fill(person.email);
  await page.getByRole("button", { name: "Send me a link" }).click();
  await page.goto(linkIn(await letterTo(person.email, /Choose a new password/), "password-reset"));
  await page.getByRole("button", { name: "Go on" }).click();
  await page.waitForURL((url) => url.pathname === "/verify");
  await page.getByLabel(/Six digits/).fill(await person.app.fresh());
  await arrivesAt(page, "/reset");
  await page.getByRole("button", { name: /lost another second step/ }).click();
  await page.getByRole("heading", { name: "Set up a new second step" }).waitFor();
  assert.equal((await sessionOf(page)).state, "recovering");
  await page.getByRole("button", { name: "Set up an app anew" }).waitFor();
  await looksRight(page);
});

test("who lost everything waits, and whoever has something stops it", async (t) => {
  const owner = await openTab(t, browser);
  const page = await openTab(t, browser, { viewport: phone, refusals: [410] });
  const person = somebody();
  await joinWithApp(owner, person);
  await enterPassword(page, person);
  await page.waitForURL((url) => url.pathname === "/verify");
  await page.getByText("I’ve lost all of these").click();
  await looksRight(page);
  await page.getByRole("button", { name: "Send me the letter" }).click();
  await page.getByText(/We’ve written to you/).waitFor();
  const begin = linkIn(await letterTo(person.email, /Begin to come back/), "begin-recovery");
  await page.goto(begin);
  await looksRight(page);
  await page.getByRole("button", { name: "Begin to wait" }).click();
  await says(page, /The waiting has begun/);
  await looksRight(page);
  await page.goto("/verify");
  await page.getByText("I’ve lost all of these").click();
  await page.getByText(/Your way back is under way/).waitFor();

  await owner.goto("/account");
  await owner.getByRole("heading", { name: "Somebody asked to come back in" }).waitFor();
  await looksRight(owner);
  await owner.getByRole("button", { name: "Stop it" }).click();
  await says(owner, /The way back is stopped/);

  const stop = linkIn(await letterTo(person.email, /asked to get back into/), "stop-recovery");
  await page.goto(stop);
  await looksRight(page);
  await page.getByRole("button", { name: "Stop it" }).click();
  await says(page, /doesn’t work any more/);
});

test("two admins let somebody back in", async (t) => {
  const first = await openTab(t, browser, { refusals: [403, 409] });
  const second = await openTab(t, browser, { refusals: [403] });
  const page = await openTab(t, browser, { viewport: phone });
  const [ada, grace, lost] = [somebody(), somebody(), somebody()];
  await joinWithApp(first, ada);
  await joinWithApp(second, grace);
  await joinWithApp(page, lost);
  await endSession(page);
  makeAdmin(ada.username);
  makeAdmin(grace.username);

  await first.goto("/admin/recoveries");
  await looksRight(first);
  await first.getByLabel("Their username").fill(lost.username);
  await first.getByRole("button", { name: "Ask for a way back" }).click();
  await confirmInDialog(first, ada);
  await says(first, /Another admin has to agree/);
  const row = (/** @type {import("playwright-core").Page} */ tab) => tab.getByRole("listitem").filter({ hasText: lost.username });
  assert.equal(await row(first).getByRole("button", { name: "Agree" }).count(), 0);

  await second.goto("/admin/recoveries");
  await looksRight(second);
  await row(second).getByRole("button", { name: "Agree" }).click();
  await confirmInDialog(second, grace);
  await says(second, /You agreed/);

  await page.goto(linkIn(await letterTo(lost.email, /You can come back into/), "assisted-recovery"));
  await looksRight(page);
  await page.getByRole("button", { name: "Set up a new second step" }).click();
  await page.getByRole("heading", { name: "Set up a new second step" }).waitFor();
  assert.equal((await sessionOf(page)).state, "recovering");
});
