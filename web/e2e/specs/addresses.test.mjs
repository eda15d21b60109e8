// Addresses that are proven: a registration by its letter, a change that is taken back, a second address.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { arrivesAt, launch, looksRight, openTab, phone, says } from "../helpers/browser.mjs";
import { letterTo, linkIn } from "../helpers/mail.mjs";
import { addApp, call, comeIn, confirmInDialog, sessionOf, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/**
 * An account whose address is proven, signed in with an authenticator app.
 * @param {import("playwright-core").Page} page
 * @param {import("../helpers/people.mjs").Person} person
 */
async function joinProven(page, person) {
  const { email, username, password } = person;
  assert.equal((await call(page, "POST", "/v1/accounts", { email, username, password })).status, 202);
  const token = linkIn(await letterTo(email, /Confirm your address/), "confirm-email").split("#")[1];
  assert.equal((await call(page, "POST", "/v1/links/confirm-email", { token, password })).status, 200);
  await addApp(page, person);
}

test("registering, the letter on another device, the password, and on to the second step", async (t) => {
  const page = await openTab(t, browser, { viewport: phone });
  const person = somebody();
  await page.goto("/register?next=%2Fchat");
  await page.getByLabel("Email").fill(person.email);
  await page.getByLabel("Username").fill(person.username);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Create the account" }).click();
  await says(page, /Look into your mailbox/);
  await page.getByText(`We’ve written to ${person.email}`).waitFor();
  await looksRight(page);
  const first = linkIn(await letterTo(person.email, /Confirm your address/), "confirm-email");
  await page.getByRole("button", { name: "Send the letter again" }).click();
  await says(page, /Another letter is on its way/);
  await waitForAnother(person.email, first);

  const other = await openTab(t, browser, { refusals: [410, 422] });
  await other.goto(first);
  await other.getByLabel("Your password").fill(person.password);
  await other.getByRole("button", { name: "Confirm and go on" }).click();
  await says(other, /doesn’t work any more/);
  await looksRight(other);

  await other.goto("about:blank");
  await other.goto(linkIn(await letterTo(person.email, /Confirm your address/), "confirm-email"));
  await looksRight(other);
  await other.getByLabel("Your password").fill("not what was chosen");
  await other.getByRole("button", { name: "Confirm and go on" }).click();
  await says(other, /not the password that you chose/);
  await other.getByLabel("Your password").fill(person.password);
  await other.getByRole("button", { name: "Confirm and go on" }).click();
  await other.getByRole("heading", { name: "Choose your second step" }).waitFor();
  assert.ok(!other.url().includes("#"), "the token stays in the address bar");
  assert.equal((await sessionOf(other)).user.email_verified, true);
});

/**
 * @param {string} address
 * @param {string} link
 */
async function waitForAnother(address, link) {
  for (let tries = 0; tries < 100; tries++) {
    if (linkIn(await letterTo(address, /Confirm your address/), "confirm-email") !== link) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`no other letter came to ${address}`);
}

test("a change of address is asked for, made by its link, and taken back by the old one", async (t) => {
  const page = await openTab(t, browser, { viewport: phone, refusals: [401, 403] });
  const person = somebody();
  const elsewhere = somebody("else").email;
  await joinProven(page, person);
  await page.goto("/account");
  await page.getByText(`${person.email} (confirmed)`).waitFor();
  await page.getByRole("button", { name: "Change the address" }).click();
  await page.getByLabel("New address").fill(elsewhere);
  await page.getByRole("button", { name: "Send the link" }).click();
  await confirmInDialog(page, person);
  await says(page, /We’ve sent a letter with a link/);
  await page.getByText(`We’ve written to ${elsewhere}`).waitFor();
  await looksRight(page);

  await page.goto(linkIn(await letterTo(elsewhere, /Use this address/), "change-email"));
  await looksRight(page);
  await page.getByRole("button", { name: "Use this address" }).click();
  await says(page, /Your address is changed/);
  await looksRight(page);
  await page.getByRole("link", { name: "Go to your account" }).click();
  await page.getByText(`${elsewhere} (confirmed)`).waitFor();

  const owner = await openTab(t, browser, { viewport: phone, refusals: [410] });
  const undo = linkIn(await letterTo(person.email, /address of your account .* was changed/), "undo-email");
  await owner.goto(undo);
  await looksRight(owner);
  await owner.getByRole("button", { name: "Keep the old address" }).click();
  await says(owner, /Your old address is back/);
  await looksRight(owner);
  assert.equal((await call(owner, "GET", "/v1/session")).status, 401);
  await letterTo(person.email, /Choose a new password/);
  await arrivesAt(page, "/login?next=%2Faccount");
  await comeIn(owner, person);
  await owner.goto("/account");
  await owner.getByText(`${person.email} (confirmed)`).waitFor();
  await owner.goto(undo);
  await owner.getByRole("button", { name: "Keep the old address" }).click();
  await says(owner, /doesn’t work any more/);
});

test("a second address is added and removed", async (t) => {
  const page = await openTab(t, browser, { viewport: phone, refusals: [403] });
  const person = somebody();
  const second = somebody("second").email;
  await joinProven(page, person);
  await page.goto("/account");
  await page.getByRole("button", { name: "Add a second address" }).click();
  await page.getByRole("textbox", { name: "Second address" }).fill(second);
  await page.locator("#second-email").getByRole("button", { name: "Send the link" }).click();
  await confirmInDialog(page, person);
  await says(page, /We’ve sent a letter with a link/);
  await page.goto(linkIn(await letterTo(second, /second address/), "second-email"));
  await looksRight(page);
  await page.getByRole("button", { name: "Use this address too" }).click();
  await says(page, /You have a second address/);
  await letterTo(person.email, /A second address was added/);
  await page.goto("/account");
  await page.getByText(`We also write to ${second}`).waitFor();
  await looksRight(page);
  await page.getByRole("button", { name: "Remove it" }).click();
  await page.getByRole("alertdialog", { name: "Remove the second address?" }).getByRole("button", { name: "Remove it" }).click();
  await confirmInDialog(page, person);
  await says(page, /Your second address is removed/);
  await letterTo(second, /was removed/);
});
