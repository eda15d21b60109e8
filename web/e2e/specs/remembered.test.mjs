// A device that is remembered: the box is ticked once, then the password alone opens the door there, until it is forgotten.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { arrivesAt, launch, looksRight, openTab, phone } from "../helpers/browser.mjs";
import { call, enterPassword, joinWithApp, sessionOf, signOut, somebody } from "../helpers/people.mjs";
import { restorePolicy, withPolicy } from "../helpers/policy.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  await withPolicy({ remember: { allowed: true } });
  browser = await launch();
});
after(async () => {
  await browser.close();
  await restorePolicy();
});

test("a device is remembered, used and forgotten", async (t) => {
  const page = await openTab(t, browser, { viewport: phone, refusals: [403, 409] });
  const person = somebody();
  await joinWithApp(page, person);
  await page.goto("/account");
  await signOut(page);

  await enterPassword(page, person);
  await page.waitForURL((url) => url.pathname === "/verify");
  const box = page.getByLabel("Don’t ask on this device for 30 days");
  assert.equal(await box.isChecked(), false);
  await looksRight(page);
  await box.check();
  await page.getByLabel(/Six digits/).fill(await person.app.fresh());
  await arrivesAt(page, "/chat");
  assert.equal((await sessionOf(page)).acr, "aal2");
  await page.goto("/account");
  await signOut(page);

  await enterPassword(page, person);
  await arrivesAt(page, "/chat");
  const session = await sessionOf(page);
  assert.deepEqual([session.acr, session.level], ["pwd+device", 1]);

  await page.goto("/account/sessions");
  await page.getByText("By password, then remembered device").waitFor();
  await page.getByText("Your password was enough here").waitFor();
  await looksRight(page);
  await page.getByRole("button", { name: /^Forget / }).click();
  await page.getByRole("heading", { name: "Devices we don’t ask" }).waitFor({ state: "detached" });
  await signOut(page);

  await enterPassword(page, person);
  await page.waitForURL((url) => url.pathname === "/verify");
  await page.getByLabel(/Six digits/).waitFor();
  assert.equal((await sessionOf(page)).state, "second_factor_required");
});

test("another browser is asked, and one that does not tick the box", async (t) => {
  const [page, other] = [await openTab(t, browser), await openTab(t, browser)];
  const person = somebody();
  await joinWithApp(page, person);
  for (const again of [false, true]) {
    if (again) {
      await other.goto("/account");
      await signOut(other);
    }
    await enterPassword(other, person);
    await other.waitForURL((url) => url.pathname === "/verify");
    await other.getByLabel(/Six digits/).fill(await person.app.fresh());
    await arrivesAt(other, "/chat");
  }
  assert.deepEqual((await call(other, "GET", "/v1/me/remembered-devices")).body.remembered_devices, []);
});
