// What is held before the camera in place of the person. Chromium's own fake webcam plays it from a file, so nothing of
// the page is changed. All of it gets one answer, and the other ways stay open.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import path from "node:path";
import { framesOf, passes, sit } from "../helpers/actor.mjs";
import { launch, openTab, says } from "../helpers/browser.mjs";
import { photos, Webcam } from "../helpers/camera.mjs";
import { comeToTheCamera, confirmInDialog, joinWithApp, sessionOf, somebody } from "../helpers/people.mjs";

const skip = photos ? false : "no photos to hold before the camera: give SALLYPORT_TESTDATA, or make models";

/** @type {Webcam} */
let webcam;
/** @type {import("playwright-core").Browser} */
let browser;
const person = somebody("prey");
/** @type {{owner: string, stranger: string}} */
let frames;

before(async () => {
  if (!photos) return;
  frames = { owner: framesOf(photos.enrolled), stranger: framesOf(photos.stranger) };
  webcam = new Webcam();
  webcam.showsPrint(photos.enrolled);
  browser = await webcam.launch();
});
after(async () => {
  await browser?.close();
  webcam?.remove();
});

test("the owner sets up their face, in a browser that can keep no key", { skip }, async (t) => {
  const seat = await launch();
  t.after(() => seat.close());
  const page = await openTab(t, seat, { refusals: [403] });
  await page.addInitScript(() => Object.defineProperty(window, "indexedDB", { get: () => { throw new DOMException("", "SecurityError"); } }));
  await sit(page, { loops: frames.owner });
  await joinWithApp(page, person);
  await page.goto("/account/security");
  await page.getByRole("button", { name: "Set up your face" }).click();
  await page.getByLabel(/^I agree/).check();
  await page.getByRole("button", { name: "Turn on the camera" }).click();
  await confirmInDialog(page, person);
  await passes(page, says(page, /Your face is set up/));
  await page.getByRole("button", { name: "Add this browser" }).click();
  await says(page, /can’t keep a key/);
});

/** @param {import("playwright-core").Page} page */
async function isRefused(page) {
  await comeToTheCamera(page, person);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await page.locator("[data-phase=live]").waitFor();
  await page.locator("[data-capture-error]").getByText(/We couldn’t confirm that it’s you/).waitFor({ timeout: 60_000 });
  assert.equal((await sessionOf(page)).state, "second_factor_required");
  assert.ok(await page.getByRole("button", { name: /^Authenticator app/ }).isVisible(), "another way is offered");
}

/** @type {[string, () => void][]} */
const SPECIES = [
  ["a printed photo", () => webcam.showsPrint(path.join(frames.owner, "straight/000.jpg"))],
  ["a printed photo that is moved about", () => webcam.showsMovedPrint(path.join(frames.owner, "straight/000.jpg"))],
  ["a recording of the owner, who was asked for other things", () => webcam.replays(frames.owner, ["straight", "mouth", "blink"])],
  ["a recording of another person", () => webcam.replays(frames.stranger, ["straight", "left", "right"])],
];

for (const [name, hold] of SPECIES) {
  test(`${name} is refused`, { skip }, async (t) => {
    hold();
    const page = await openTab(t, browser, { refusals: [422] });
    await isRefused(page);
  });
}

test("another living person who follows every prompt is refused; so is a sixth try, until a while has passed", { skip }, async (t) => {
  const seat = await launch();
  t.after(() => seat.close());
  const page = await openTab(t, seat, { refusals: [422, 429] });
  await sit(page, { loops: frames.stranger });
  await isRefused(page);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await says(page, /Too many tries\. Wait/);
});
