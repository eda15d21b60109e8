// A write asks for proof of its own: the dialog takes the password and a second step, and carries on.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, looksRight, openTab, phone, says } from "../helpers/browser.mjs";
import { joinWithApp, sessionOf, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("a change asks for password and second step, takes no for an answer, and carries on", async (t) => {
  const page = await openTab(t, browser, { viewport: phone, refusals: [403, 422] });
  const person = somebody();
  await joinWithApp(page, person);
  await page.goto("/account");
  await page.getByRole("button", { name: "Download my data" }).click();
  const dialog = page.getByRole("dialog", { name: "Confirm it’s you" });
  await dialog.getByLabel(/Six digits/).waitFor();
  assert.equal(await dialog.getByLabel("Your password", { exact: true }).isVisible(), false, "a factor is enough for this");
  await looksRight(page);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });

  await page.getByRole("button", { name: "Add a second address" }).click();
  await page.getByRole("textbox", { name: "Second address" }).fill(`second-${person.email}`);
  await page.locator("[data-second-form]").getByRole("button").click();
  const field = dialog.getByLabel("Your password", { exact: true });
  await field.fill("not this one");
  await dialog.getByRole("button", { name: "Continue" }).click();
  await says(page, /not your current password/);
  await looksRight(page);
  await field.fill(person.password);
  await field.press("Enter");
  await dialog.getByLabel(/Six digits/).fill(person.app.again());
  await says(page, /isn’t right, or it was used already/);
  await dialog.getByLabel(/Six digits/).fill(await person.app.fresh());
  await says(page, /We’ve sent a letter with a link/);
  assert.equal((await sessionOf(page)).state, "authenticated");
});

test("my data comes as a file", async (t) => {
  const page = await openTab(t, browser, { refusals: [403] });
  const person = somebody();
  await joinWithApp(page, person);
  await page.goto("/account");
  await page.getByRole("button", { name: "Download my data" }).click();
  const file = page.waitForEvent("download");
  await page.getByRole("dialog").getByLabel(/Six digits/).fill(await person.app.fresh());
  const chunks = [];
  for await (const chunk of await (await file).createReadStream()) chunks.push(chunk);
  assert.equal(JSON.parse(Buffer.concat(chunks).toString()).user.username, person.username);
});
