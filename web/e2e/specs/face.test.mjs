import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { arrivesAt, looksRight, openTab, says } from "../helpers/browser.mjs";
import { photos, Webcam } from "../helpers/camera.mjs";
import { restorePolicy, withPolicy } from "../helpers/policy.mjs";
import { addApp, endSession, enterPassword, register, sessionOf, signOut, somebody } from "../helpers/people.mjs";

const skip = photos ? false : "no photos to play to the camera: give SALLYPORT_TESTDATA, or make models";

/** @type {Webcam} */
let webcam;
/** @type {import("playwright-core").Browser} */
let browser;
const person = somebody("face");

before(async () => {
  if (!photos) return;
  webcam = new Webcam();
  webcam.shows(photos.enrolled);
  browser = await webcam.launch();
});
after(async () => {
  await browser?.close();
  webcam?.remove();
});

/**
 * Keeps every stream that the page opens in sight, to see that none stays open.
 * @param {import("playwright-core").Page} page
 */
async function watchCamera(page) {
  await page.addInitScript(() => {
    const seen = [];
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const stream = await open(wanted);
      seen.push(...stream.getTracks());
      return stream;
    };
    Object.assign(window, { cameraOpened: () => seen.length, cameraIsOff: () => seen.every((track) => track.readyState === "ended") });
  });
}

/** @param {import("playwright-core").Page} page */
async function cameraIsOff(page) {
  assert.ok(await page.evaluate(() => window.cameraOpened() > 0), "the camera was never on");
  assert.equal(await page.evaluate(() => window.cameraIsOff()), true, "the camera is still on");
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string} [next]
 */
async function comeToTheCamera(page, next) {
  await enterPassword(page, person, next);
  await page.waitForURL((url) => url.pathname === "/verify");
  const shown = page.locator("[data-factor=face]");
  if (!(await shown.isVisible())) await page.getByRole("button", { name: /^Your face/ }).click();
}

test("choosing a face begins with recovery codes, then consent, then the camera", { skip }, async (t) => {
  const page = await openTab(t, browser);
  await watchCamera(page);
  await register(page, person);
  await page.getByRole("button", { name: /^Your face/ }).click();
  await page.getByRole("button", { name: "Show my recovery codes" }).click();
  await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  person.codes = await page.locator("[data-codes-list] li").allTextContents();
  await page.getByLabel("I have saved these codes.").check();
  await page.getByRole("button", { name: "Continue" }).click();

  await page.getByRole("button", { name: "Turn on the camera" }).click();
  await says(page, /tick its box first/);
  assert.equal(await page.evaluate(() => window.cameraOpened()), 0);
  await looksRight(page);

  await page.getByLabel(/^I agree/).check();
  await page.getByRole("button", { name: "Turn on the camera" }).click();
  await page.locator("[data-phase=live]").waitFor();
  await page.getByRole("button", { name: "Use these pictures" }).waitFor();
  await cameraIsOff(page);
  assert.equal(await page.locator("[data-stills] img").count(), 3);
  await looksRight(page);

  await page.getByRole("button", { name: "Retake the pictures" }).click();
  await page.locator("[data-phase=live]").waitFor();
  await page.getByRole("button", { name: "Take the pictures now" }).click();
  await page.getByRole("button", { name: "Use these pictures" }).click();
  await page.getByRole("heading", { name: "You’re in" }).waitFor();
  assert.equal(await page.getByText("Save recovery codes too").isVisible(), false, "the codes were saved a moment ago");
  await cameraIsOff(page);
  const session = await sessionOf(page);
  assert.deepEqual([session.state, session.acr], ["authenticated", "mfa"]);
});

test("the same person is let in", { skip }, async (t) => {
  webcam.shows(photos.later);
  const page = await openTab(t, browser);
  await watchCamera(page);
  await comeToTheCamera(page, "/account/security");
  await looksRight(page);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await arrivesAt(page, "/account/security");
  assert.equal((await sessionOf(page)).acr, "mfa");
  await looksRight(page);
  await signOut(page);
});

test("a lower threshold in the running server refuses the same photos", { skip }, async (t) => {
  webcam.shows(photos.later);
  t.after(restorePolicy);
  const page = await openTab(t, browser, { refusals: [422] });
  await comeToTheCamera(page);
  await withPolicy({ face: { threshold: 0.01 } });
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await says(page, /couldn’t match your face/);
  assert.equal((await sessionOf(page)).state, "second_factor_required");
  await restorePolicy();
  await page.getByRole("button", { name: "Retake the pictures" }).click();
  await arrivesAt(page, "/chat");
});

test("another person is refused, and can be followed by the right one", { skip }, async (t) => {
  webcam.shows(photos.stranger);
  const page = await openTab(t, browser, { refusals: [422] });
  await watchCamera(page);
  await comeToTheCamera(page);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await says(page, /couldn’t match your face/);
  await cameraIsOff(page);
  await looksRight(page);
  assert.equal((await sessionOf(page)).state, "second_factor_required");
  webcam.shows(photos.later);
  await page.getByRole("button", { name: "Retake the pictures" }).click();
  await arrivesAt(page, "/chat");
});

test("nobody and too many people are told apart", { skip }, async (t) => {
  const page = await openTab(t, browser, { refusals: [422] });
  webcam.shows();
  await comeToTheCamera(page);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await says(page, /can’t see a face/);
  webcam.shows(...photos.crowd);
  await page.getByRole("button", { name: "Retake the pictures" }).click();
  await says(page, /more than one face/);
});

test("turning the camera off, switching the way and leaving the tab all let go of it", { skip }, async (t) => {
  webcam.shows(photos.later);
  const page = await openTab(t, browser);
  await watchCamera(page);
  await comeToTheCamera(page);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await page.getByRole("button", { name: "Turn the camera off" }).click();
  await cameraIsOff(page);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await page.locator("[data-phase=live]").waitFor();
  // Off and on again before the first run could notice.
  await page.evaluate(() => {
    for (const name of ["stop", "open"]) /** @type {HTMLElement} */ (document.querySelector(`[data-${name}]`)).click();
  });
  await page.locator("[data-phase=live]").waitFor();
  await page.getByRole("button", { name: /^Recovery code/ }).click();
  await cameraIsOff(page);
  assert.equal((await sessionOf(page)).state, "second_factor_required");
});

test("a camera that opens after it was given up is let go of at once", { skip }, async (t) => {
  webcam.shows(photos.later);
  const page = await openTab(t, browser);
  await watchCamera(page);
  await page.addInitScript(() => {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    let wait = 1000; // less than a capture takes, so that it comes while the next one runs
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const mine = wait;
      wait = 0;
      await new Promise((done) => setTimeout(done, mine));
      return open(wanted);
    };
  });
  await comeToTheCamera(page);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await page.getByRole("button", { name: /^Recovery code/ }).click();
  await page.getByRole("button", { name: /^Your face/ }).click();
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await page.waitForFunction(() => window.cameraOpened() === 2);
  await page.getByRole("button", { name: /^Recovery code/ }).click();
  await page.waitForFunction(() => window.cameraIsOff());
});

test("a face is too weak to add a passkey: the dialog says so and a recovery code leads on", { skip }, async (t) => {
  webcam.shows(photos.later);
  const page = await openTab(t, browser, { refusals: [403] });
  await comeToTheCamera(page, "/account/security");
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await arrivesAt(page, "/account/security");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("button", { name: "Create the passkey" }).click();
  const dialog = page.getByRole("dialog", { name: "Confirm it’s you" });
  await dialog.getByText(/None of your second steps is strong enough/).waitFor();
  await looksRight(page);
  await dialog.getByRole("button", { name: "Cancel, change nothing" }).click();
  await dialog.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Create the passkey" }).click();
  await dialog.getByLabel("One of your recovery codes").fill(person.codes[4]);
  await dialog.getByRole("button", { name: "Use this recovery code" }).click();
  await page.getByRole("heading", { name: "Set up a new second step" }).waitFor();
  await addApp(page, person);
  await endSession(page);
});

test("a session of a face steps up by the app, then the write carries on", { skip }, async (t) => {
  webcam.shows(photos.later);
  const page = await openTab(t, browser, { refusals: [403] });
  await comeToTheCamera(page, "/account/security");
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await arrivesAt(page, "/account/security");
  await page.getByRole("button", { name: "Remove and erase" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Erase them" }).click();
  const dialog = page.getByRole("dialog", { name: "Confirm it’s you" });
  await dialog.getByLabel(/Six digits/).waitFor();
  await looksRight(page);
  await dialog.getByLabel(/Six digits/).fill(await person.app.fresh());
  await says(page, /The numbers of your face are erased/);
  assert.equal((await sessionOf(page)).factors.includes("face"), false);
});
