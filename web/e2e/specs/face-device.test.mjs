// The camera's end is a browser with a key of its own: how it gets one, loses it, and what a script without one can do.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { framesOf, passes, sit } from "../helpers/actor.mjs";
import { arrivesAt, launch, looksRight, newProfile, openTab, says } from "../helpers/browser.mjs";
import { photos } from "../helpers/camera.mjs";
import { call, comeIn, comeToTheCamera, confirmInDialog, endSession, joinWithApp, knock, sessionOf, somebody } from "../helpers/people.mjs";
import { restorePolicy, withPolicy } from "../helpers/policy.mjs";

const skip = photos ? false : "no photos to sit before the camera: give SALLYPORT_TESTDATA, or make models";

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").BrowserContext} */
let home;
const person = somebody("device");
/** @type {string} */
let frames;

before(async () => {
  if (!photos) return;
  frames = framesOf(photos.enrolled);
  browser = await launch();
  home = await newProfile(browser);
});
after(async () => {
  await restorePolicy();
  await browser?.close();
});

/** @param {import("playwright-core").Page} page */
async function lastMethod(page) {
  return (await sessionOf(page)).methods.at(-1);
}

test("a face is set up on the security page, in a browser that gets a key", { skip }, async (t) => {
  const page = await openTab(t, home, { refusals: [403] });
  await sit(page, { loops: frames });
  await joinWithApp(page, person);
  await page.goto("/account/security");
  await page.getByRole("button", { name: "Set up your face" }).click();
  await page.getByLabel(/^I agree/).check();
  await page.getByLabel(/may be in that sample/).check();
  await page.getByRole("button", { name: "Turn on the camera" }).click();
  await confirmInDialog(page, person);
  await passes(page, says(page, /Your face is set up/));
  await page.getByText("This browser", { exact: true }).waitFor();
  await page.getByText("You’re in the sample").waitFor();
  await looksRight(page);
  const { body } = await call(page, "GET", "/v1/me/devices");
  assert.equal(body.devices.length, 1);
});

test("the sample is left and joined by one button", { skip }, async (t) => {
  const page = await openTab(t, home);
  await page.goto("/account/security");
  await page.getByRole("button", { name: "Take my numbers out" }).click();
  await says(page, /taken out of the sample/);
  await page.getByRole("button", { name: "Let my numbers be in it" }).click();
  await says(page, /may be in the sample/);
});

test("a sitting in other light is added, and told", { skip }, async (t) => {
  const page = await openTab(t, home, { refusals: [403] });
  await sit(page, { loops: frames });
  // A browser that is never idle: Chromium then takes a second for each picture that toBlob is to make.
  await page.addInitScript(() => (HTMLCanvasElement.prototype.toBlob = () => {}));
  await page.goto("/account/security");
  await page.getByRole("button", { name: "Improve my face sign-in" }).click();
  await looksRight(page);
  await page.locator("#more-face").getByRole("button", { name: "Turn on the camera" }).click();
  await confirmInDialog(page, person);
  await passes(page, says(page, /Your face sign-in is improved/));
  await page.getByText(/Set up on .*; improved on/).waitFor();
  await endSession(page);
});

test("a browser that lost its key signs in without it, and gets another only by another factor", { skip }, async (t) => {
  const page = await openTab(t, home, { refusals: [403] });
  await sit(page, { loops: frames });
  await page.goto("/login");
  await page.evaluate(() => new Promise((done) => (indexedDB.deleteDatabase("sallyport").onsuccess = done)));
  await comeToTheCamera(page, person, "/account/security");
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await passes(page, arrivesAt(page, "/account/security"));
  const method = await lastMethod(page);
  assert.deepEqual([method.method, method.device_key], ["face", undefined]);

  await page.getByRole("button", { name: "Add this browser" }).click();
  const dialog = page.getByRole("dialog", { name: "Confirm it’s you" });
  await dialog.getByLabel("Your password", { exact: true }).fill(person.password);
  await dialog.getByRole("button", { name: "Continue" }).click();
  await dialog.getByLabel(/Six digits/).waitFor();
  assert.equal(await dialog.locator("[data-way=face]").isVisible(), false, "the face itself is no proof for this");
  await dialog.getByLabel(/Six digits/).fill(await person.app.fresh());
  await says(page, /This browser is added/);
  const rows = page.locator("[data-device]");
  await rows.locator("[data-this-device]:not([hidden])").waitFor(); // the mark comes after the page
  assert.equal(await rows.count(), 2);
  const lost = rows.filter({ hasNot: page.locator("[data-this-device]:not([hidden])") });
  await lost.getByRole("button", { name: /^Remove/ }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove the browser" }).click();
  await confirmInDialog(page, person);
  await says(page, /is removed/);
  assert.equal(await rows.count(), 1);
  await rows.getByText("This browser", { exact: true }).waitFor();
  await endSession(page);
});

test("where a key is required, this browser is let in and another is not", { skip }, async (t) => {
  await withPolicy({ face: { require_device_key: true } });
  const page = await openTab(t, home);
  await sit(page, { loops: frames });
  await comeToTheCamera(page, person);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await passes(page, arrivesAt(page, "/chat"));
  assert.equal((await lastMethod(page)).device_key, true);
  await endSession(page);

  const other = await openTab(t, browser);
  await sit(other, { loops: frames });
  await comeToTheCamera(other, person);
  await other.getByRole("button", { name: "Sign in with your face" }).click();
  await says(other, /isn’t one that you use your face with/);
  assert.ok(await other.getByRole("button", { name: /^Authenticator app/ }).isVisible());
});

test("a script that uploads pictures has no key, and is refused before any is looked at", { skip }, async (t) => {
  const page = await openTab(t, browser);
  await page.goto("/login");
  await knock(page, person);
  const { body } = await call(page, "POST", "/v1/verify/face/challenge", {});
  const said = await page.evaluate(async (capture) => {
    const canvas = document.createElement("canvas");
    const picture = await new Promise((done) => canvas.toBlob(done, "image/jpeg"));
    return new Promise((done, failed) => {
      const socket = new WebSocket(new URL(capture, location.href.replace(/^http/, "ws")));
      socket.onopen = () => {
        socket.send("{}");
        socket.send(picture);
      };
      socket.onmessage = ({ data }) => done(JSON.parse(data));
      socket.onclose = failed;
    });
  }, body.capture);
  assert.equal(said.refused?.code, "conflict");
  assert.equal(said.refused?.reason, "device_key");
  const taken = await call(page, "POST", "/v1/verify/face", { challenge: body.id, signature: "", name: "" });
  assert.notEqual(taken.status, 200);
  assert.equal((await sessionOf(page)).state, "second_factor_required");
  await endSession(page);
});

test("a changed text is asked for again, and then the face is removed", { skip }, async (t) => {
  await withPolicy({ face: { consent: { version: "2027-1", language: "en", text: ["We measure your face, and say so in other words."], cohort: ["May your numbers be in the sample?"] } } });
  const page = await openTab(t, home, { refusals: [403] });
  await comeIn(page, person);
  await page.goto("/account/security");
  await page.getByText("The text has changed: please read it again").waitFor();
  await page.getByText("We measure your face, and say so in other words.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Improve my face sign-in" }).isVisible(), false);
  await looksRight(page);
  await page.getByRole("button", { name: "I agree to this text" }).click();
  await says(page, /Your agreement is recorded/);
  await page.getByText("You’re not in the sample").waitFor();
  await page.getByRole("button", { name: "Remove my face and erase its numbers" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Erase them" }).click();
  await confirmInDialog(page, person);
  await says(page, /The numbers of your face are erased/);
  assert.equal((await sessionOf(page)).factors.includes("face"), false);
});

test("what is kept of a face is told to everybody", async (t) => {
  const page = await openTab(t, browser ?? (await launch()));
  await page.goto("/login");
  await page.getByRole("link", { name: "Your face and your data" }).click();
  await page.getByRole("heading", { name: "How to withdraw" }).waitFor();
  await page.getByText(/365 days/).waitFor();
  await looksRight(page);
});
