// "This wasn't me", from the letter to the shut door, on a phone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, looksRight, openTab, phone, says } from "../helpers/browser.mjs";
import { letterTo, linkIn } from "../helpers/mail.mjs";
import { call, comeIn, joinWithApp, knock, saveCodes, sessionOf, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("a letter's link asks first, then shuts everybody out, once", async (t) => {
  const person = somebody();
  const owner = await openTab(t, browser);
  await joinWithApp(owner, person);
  const thief = await openTab(t, browser);
  await knock(thief, person);
  assert.equal((await call(thief, "POST", "/v1/verify/totp", { code: "000000" })).status, 422);

  const letter = await letterTo(person.email, /may know your password/);
  const link = linkIn(letter, "not-me");
  const token = link.split("#")[1];
  const page = await openTab(t, browser, { viewport: phone, refusals: [410] });
  /** @type {string[]} */
  const seen = [];
  page.on("request", async (r) => seen.push(`${r.url().split("#")[0]} ${JSON.stringify(await r.allHeaders())}`));
  await page.goto(link);
  await page.getByRole("heading", { name: "Wasn’t this you?" }).waitFor();
  await looksRight(page);
  assert.equal((await sessionOf(owner)).state, "authenticated");

  await page.getByRole("button", { name: "This wasn’t me" }).click();
  await page.getByRole("heading", { name: "Everybody is signed out" }).waitFor();
  await looksRight(page);
  assert.equal((await call(owner, "GET", "/v1/session")).status, 401);
  assert.equal((await call(thief, "GET", "/v1/session")).status, 401);
  assert.ok(!page.url().includes(token), "the token stays in the address bar");
  assert.deepEqual(seen.filter((request) => request.includes(token)), [], "the token went out in an address or a header");
  await letterTo(person.email, /Choose a new password/);

  await page.goto("about:blank");
  await page.goto(link);
  await page.getByRole("button", { name: "This wasn’t me" }).click();
  await says(page, /doesn’t work any more/);

  // What the owner had before lifts it.
  await comeIn(owner, person);
  await saveCodes(owner, person);
});

test("without its token the page has nothing to ask", async (t) => {
  const page = await openTab(t, browser, { viewport: phone });
  await page.goto("/link/not-me");
  await says(page, /doesn’t work any more/);
});
