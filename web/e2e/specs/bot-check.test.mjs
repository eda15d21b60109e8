// After many failures the page works for its person before the server looks at a password again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { arrivesAt, launch, looksRight, openTab } from "../helpers/browser.mjs";
import { enterPassword, joinWithApp, register, somebody } from "../helpers/people.mjs";
import { policyText, restorePolicy, withPolicy } from "../helpers/policy.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await launch();
  // So many numbers that it takes a moment, and so few that it is one.
  await withPolicy({
    bot_check: { provider: "altcha", after: 2, max_number: 100000 },
    limits: { ...JSON.parse(policyText()).limits, in_a_row: { free: 20 } },
  });
});
after(async () => {
  await restorePolicy();
  await browser.close();
});

test("the page solves what it is asked, stays awake and carries on", async (t) => {
  const person = somebody();
  const owner = await openTab(t, browser, { refusals: [401, 403] });
  await joinWithApp(owner, person);

  const page = await openTab(t, browser, { refusals: [401, 403] });
  for (let tries = 0; tries < 2; tries++) {
    await enterPassword(page, { ...person, password: "not my password" });
    await page.locator("[data-error]").filter({ hasText: "don’t belong together" }).waitFor();
  }
  // A thread that is kept busy runs no timers: they are counted while the button says that something is being done.
  await page.evaluate(() => {
    const seen = /** @type {any} */ (window);
    seen.awake = 0;
    setInterval(() => {
      if (document.querySelector("[type=submit]")?.textContent === "Checking your browser…") seen.awake++;
    }, 10);
  });
  await page.getByLabel("Password", { exact: true }).fill("still not my password");
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await page.getByRole("button", { name: "Checking your browser…" }).waitFor();
  await page.locator("[data-working]").filter({ hasText: "you need do nothing" }).waitFor({ state: "attached" });
  await page.locator("[data-error]").filter({ hasText: "don’t belong together" }).waitFor();
  await page.getByRole("button", { name: "Continue", exact: true }).waitFor();
  assert.ok((await page.evaluate(() => /** @type {any} */ (window).awake)) > 3, "the page was blocked");
  await looksRight(page);

  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await arrivesAt(page, "/verify");

  // The network is asked for proofs when it registers as well.
  const fresh = await openTab(t, browser, { refusals: [403] });
  await register(fresh, somebody());
});
