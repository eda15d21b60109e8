// Personal data: what happened at the account, deleting it, and keeping it after all.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { arrivesAt, launch, looksRight, openTab, phone, says } from "../helpers/browser.mjs";
import { call, comeIn, confirmInDialog, joinWithApp, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("an account is deleted, and kept after all", async (t) => {
  const page = await openTab(t, browser, { viewport: phone, refusals: [403] });
  const person = somebody();
  await joinWithApp(page, person);
  await page.goto("/account");
  await page.getByRole("link", { name: "What happened" }).click();
  await arrivesAt(page, "/account/activity");
  await page.getByText("A second step was added").first().waitFor();
  await looksRight(page);

  await page.goto("/account");
  await page.getByRole("button", { name: "Delete my account" }).click();
  const question = page.getByRole("alertdialog");
  await question.getByText("for 14 days").waitFor();
  await looksRight(page);
  await question.getByRole("button", { name: "Delete my account" }).click();
  await confirmInDialog(page, person);
  await arrivesAt(page, "/login");

  await comeIn(page, person);
  await page.goto("/account");
  await page.getByRole("heading", { name: "Your account will be deleted" }).waitFor();
  await looksRight(page);
  await page.getByRole("button", { name: "Keep my account" }).click();
  await says(page, /Your account stays/);
  assert.equal((await call(page, "GET", "/v1/me")).body.deletion_due_at, null);
});
