// Somebody sets up their face and signs in with it: the real server, worker and dlib, and a person who follows the
// prompts on the page. A camera that is turned off counts as a try and five are free in a row, so those that come to
// nothing and those that pass take turns.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cameraIsOff, framesOf, passes, sit } from "../helpers/actor.mjs";
import { arrivesAt, launch, looksRight, newProfile, openTab, says } from "../helpers/browser.mjs";
import { photos } from "../helpers/camera.mjs";
import { addApp, comeToTheCamera, endSession, keepCode, register, sessionOf, somebody } from "../helpers/people.mjs";
import { restorePolicy, withPolicy } from "../helpers/policy.mjs";

const skip = photos ? false : "no photos to sit before the camera: give SALLYPORT_TESTDATA, or make models";

/** @type {import("playwright-core").Browser} */
let browser;
/** The browser that the face was set up in.
 * @type {import("playwright-core").BrowserContext} */
let home;
const person = somebody("face");
/** @type {{enrolled: string, later: string}} */
let frames;

before(async () => {
  if (!photos) return;
  frames = { enrolled: framesOf(photos.enrolled), later: framesOf(photos.later) };
  browser = await launch();
  home = await newProfile(browser);
});
after(() => browser?.close());

test("choosing a face begins with recovery codes, then consent, then prompts", { skip }, async (t) => {
  const page = await openTab(t, home);
  await sit(page, { loops: frames.enrolled });
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
  assert.equal(await page.getByLabel(/may be in that sample/).isChecked(), false, "lending one's numbers is a choice of its own");
  await page.getByRole("button", { name: "Turn on the camera" }).click();
  await page.locator("[data-phase=live]").waitFor();
  await page.getByText("Look straight into the camera").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Turn the camera off");
  await page.getByText(/^Step 2 of \d$/).waitFor();
  await passes(page, page.getByRole("heading", { name: "You’re in" }).waitFor());
  assert.equal(await page.getByText("Save recovery codes too").isVisible(), false, "the codes were saved a moment ago");
  await cameraIsOff(page);
  const session = await sessionOf(page);
  assert.deepEqual([session.state, session.acr], ["authenticated", "mfa"]);
  await endSession(page);
});

test("turning the camera off, switching the way and leaving the tab all let go of it", { skip }, async (t) => {
  const page = await openTab(t, home);
  await sit(page, { loops: frames.later });
  await comeToTheCamera(page, person);
  const start = page.getByRole("button", { name: "Sign in with your face" });
  await start.click();
  await page.getByRole("button", { name: "Turn the camera off" }).click();
  await cameraIsOff(page);
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Sign in with your face");
  await start.click();
  await page.locator("[data-phase=live]").waitFor();
  // Off and on again before the first run could notice.
  await page.evaluate(() => {
    for (const name of ["stop", "open"]) /** @type {HTMLElement} */ (document.querySelector(`[data-${name}]`)).click();
  });
  await page.locator("[data-phase=live]").waitFor();
  await page.getByRole("button", { name: /^Recovery code/ }).click();
  await cameraIsOff(page);
  assert.equal((await sessionOf(page)).state, "second_factor_required");
  await endSession(page);
});

test("the same person is let in, and this browser's key vouches for the pictures", { skip }, async (t) => {
  const page = await openTab(t, home);
  await sit(page, { loops: frames.later });
  await comeToTheCamera(page, person, "/account/security");
  await looksRight(page);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await page.locator("[data-phase=live]").waitFor();
  assert.ok(await page.getByRole("button", { name: /^Recovery code/ }).isVisible(), "another way is offered all the while");
  await looksRight(page);
  await passes(page, arrivesAt(page, "/account/security"));
  const session = await sessionOf(page);
  assert.deepEqual([session.state, session.acr], ["authenticated", "mfa"]);
  assert.equal(session.methods.at(-1).method, "face");
  assert.equal(session.methods.at(-1).device_key, true);
  assert.ok(session.amr.includes("swk"), `amr is ${session.amr}`);
  const devices = page.locator("[data-devices]");
  await devices.getByText("Chrome on Linux").waitFor();
  await devices.getByText("This browser", { exact: true }).waitFor();
  assert.equal(await devices.getByRole("button", { name: "Add this browser" }).isVisible(), false);
  await looksRight(page);
});

test("a face is too weak to add a passkey: the dialog says so and a recovery code leads on", { skip }, async (t) => {
  const page = await openTab(t, home, { refusals: [403] });
  await page.goto("/account/security"); // signed in by the face, a moment ago
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
  await keepCode(page);
  await page.getByRole("heading", { name: "Set up a new second step" }).waitFor();
  await addApp(page, person);
  await endSession(page);
});

test("a camera that opens after it was given up is let go of at once", { skip }, async (t) => {
  const page = await openTab(t, home);
  await sit(page, { loops: frames.later });
  await page.addInitScript(() => {
    if (!navigator.mediaDevices) return;
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    let wait = 1000; // less than a capture takes, so that it comes while the next one runs
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const mine = wait;
      wait = 0;
      await new Promise((done) => setTimeout(done, mine));
      return open(wanted);
    };
  });
  await comeToTheCamera(page, person);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await page.getByRole("button", { name: /^Recovery code/ }).click();
  await page.getByRole("button", { name: /^Your face/ }).click();
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await page.waitForFunction(() => window.cameraOpened() === 2);
  await page.getByRole("button", { name: /^Recovery code/ }).click();
  await page.waitForFunction(() => window.cameraIsOff());
  await endSession(page);
});

test("a line that breaks off says so and offers to start again", { skip }, async (t) => {
  const page = await openTab(t, home);
  await sit(page, { loops: frames.later });
  await page.routeWebSocket(/face\/capture/, (socket) => {
    const server = socket.connectToServer();
    let heard = 0;
    server.onMessage((message) => (++heard < 5 ? socket.send(message) : socket.close()));
  });
  await comeToTheCamera(page, person);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await says(page, /The connection broke off.*Start again/);
  await cameraIsOff(page);
  assert.ok(await page.getByRole("button", { name: "Sign in with your face" }).isVisible());
  await looksRight(page);
  await endSession(page);
});

test("nobody and too many people hear what to do, then why it ended", { skip }, async (t) => {
  const wall = await openTab(t, browser);
  const crowd = await openTab(t, browser);
  await sit(wall, {});
  await sit(crowd, { photo: photos.crowd });
  for (const page of [wall, crowd]) {
    await comeToTheCamera(page, person);
    await page.getByRole("button", { name: "Sign in with your face" }).click();
  }
  await says(wall, /We can’t see your face\. Bring it into the oval/);
  await says(crowd, /Only you should be in the picture/);
  // The server gives people half a minute to find their place.
  await wall.locator("[data-capture-error]").getByText(/can’t see a face: look straight/).waitFor({ timeout: 60_000 });
  await crowd.locator("[data-capture-error]").getByText(/more than one face/).waitFor({ timeout: 60_000 });
  await cameraIsOff(wall);
  await looksRight(wall);
});

test("a lower threshold in the running server refuses the same face", { skip }, async (t) => {
  t.after(restorePolicy);
  const page = await openTab(t, home, { refusals: [422] });
  await sit(page, { loops: frames.later });
  await comeToTheCamera(page, person);
  await withPolicy({ face: { threshold: 0.01 } });
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await says(page, /couldn’t confirm that it’s you/);
  await cameraIsOff(page);
  assert.equal((await sessionOf(page)).state, "second_factor_required");
  await looksRight(page);
  await endSession(page);
});

test("the screen shines on the face, unless the person asked for no flashing", { skip }, async (t) => {
  t.after(restorePolicy);
  const page = await openTab(t, home);
  await sit(page, { loops: frames.later });
  await withPolicy({ face: { liveness: "active+flash" } });
  await comeToTheCamera(page, person);
  const calm = page.getByLabel(/^No flashing colours/);
  assert.ok(await calm.isChecked(), "a browser that is set to less motion means this too");
  await looksRight(page);
  await calm.uncheck();
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await page.locator("[data-light]:not([hidden])").waitFor();
  await passes(page, arrivesAt(page, "/chat"));
});
