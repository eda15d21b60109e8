// A proof grows old: the policy is made strict while the server runs, and the dialog asks again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { launch, looksRight, openTab, says } from "../helpers/browser.mjs";
import { joinWithApp, sessionOf, somebody } from "../helpers/people.mjs";
import { restorePolicy, withPolicy } from "../helpers/policy.mjs";

const MAX_AGE = 10;

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(async () => {
  await browser.close();
  await restorePolicy();
});

test("an old proof is asked for again, and the write carries on", async (t) => {
  const page = await openTab(t, browser, { refusals: [403, 422] });
  const person = somebody();
  await joinWithApp(page, person);
  await withPolicy({ step_up: { max_age: `${MAX_AGE}s` } });
  await sleep(MAX_AGE * 1000);
  await page.goto("/account/security");
  await page.getByRole("button", { name: "Show my recovery codes" }).click();
  const dialog = page.getByRole("dialog", { name: "Confirm it’s you" });
  await dialog.getByLabel(/Six digits/).waitFor();
  await looksRight(page);

  await dialog.getByLabel(/Six digits/).fill(person.app.again());
  await says(page, /isn’t right, or it was used already/);

  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await page.locator("[data-codes-list]").count(), 0);

  await page.getByRole("button", { name: "Show my recovery codes" }).click();
  await dialog.getByLabel(/Six digits/).fill(await person.app.fresh());
  await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  assert.equal((await sessionOf(page)).state, "authenticated");
});
