// Pictures of the real pages for the documents, on a fresh database: node run.mjs screenshots.mjs FOLDER

import { mkdirSync } from "node:fs";
import path from "node:path";
import { plugIn } from "./helpers/authenticator.mjs";
import { base, desktop, launch, phone } from "./helpers/browser.mjs";
import { photos, Webcam } from "./helpers/camera.mjs";
import { addApp, call, endSession, enterPassword, saveCodes } from "./helpers/people.mjs";

const folder = process.argv[2];
if (!folder) throw new Error("give the folder that the pictures go to");
mkdirSync(folder, { recursive: true });

const LAPTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const MOBILE = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";

const browser = await launch();

async function tab(userAgent = LAPTOP, seat = browser) {
  const context = await seat.newContext({ baseURL: base, userAgent, viewport: desktop, reducedMotion: "reduce", locale: "en-GB" });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return page;
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
async function shoot(page, name) {
  for (const [device, viewport] of Object.entries({ phone, desktop })) {
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
      await page.screenshot({ path: path.join(folder, `${name}-${device}-${colorScheme}.png`), fullPage: true });
    }
  }
}

/**
 * @param {string} username
 * @param {string} name
 */
const named = (username, name) => ({ username, name, email: `${username}@example.com`, password: "moss, lantern & 7 bells" });

/**
 * @param {import("playwright-core").Page} page
 * @param {ReturnType<typeof named>} person
 */
async function join(page, { username, name, email, password }) {
  const { status } = await call(page, "POST", "/v1/accounts", { username, display_name: name, email, password });
  if (status !== 201) throw new Error(`${username} could not register (${status}): the pictures want a fresh database`);
}

/**
 * What somebody sees who chooses their face first.
 * @param {NonNullable<typeof photos>} photos
 */
async function shootFace(photos) {
  const webcam = new Webcam();
  webcam.shows(photos.enrolled);
  const seat = await webcam.launch();
  const page = await tab(LAPTOP, seat);
  const joan = named("joan", "Joan Clarke");
  await join(page, joan);
  await page.goto("/account/security");
  await page.getByRole("button", { name: /^Your face/ }).click();
  await page.getByRole("button", { name: "Show my recovery codes" }).click();
  await page.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  await shoot(page, "recovery-codes");
  await page.getByLabel("I have saved these codes.").check();
  await page.getByRole("button", { name: "Continue" }).click();
  await shoot(page, "face-consent");
  await page.getByLabel(/^I agree/).check();
  await page.getByRole("button", { name: "Turn on the camera" }).click();
  await page.locator("[data-phase=live]").waitFor();
  await page.screenshot({ path: path.join(folder, "face-camera-desktop-dark.png"), fullPage: true });
  await page.getByRole("button", { name: "Use these pictures" }).waitFor();
  await shoot(page, "face-review");
  await page.getByRole("button", { name: "Use these pictures" }).click();
  await page.getByRole("heading", { name: "You’re in" }).waitFor();
  await shoot(page, "you-are-in");
  await endSession(page);
  await enterPassword(page, joan);
  await page.waitForURL((url) => url.pathname === "/verify");
  await shoot(page, "face-verify");
  webcam.shows(photos.stranger);
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await page.getByText(/couldn’t match your face/).first().waitFor();
  await shoot(page, "face-refused");
  webcam.shows(photos.enrolled);
  await page.getByRole("button", { name: "Retake the pictures" }).click();
  await page.waitForURL((url) => url.pathname === "/chat");
  await page.goto("/account/security");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("button", { name: "Create the passkey" }).click();
  await page.getByRole("dialog", { name: "Confirm it’s you" }).getByText(/None of your second steps/).waitFor();
  await shoot(page, "step-up");
  await seat.close();
  webcam.remove();
}

const ada = named("ada", "Ada Byron");
const page = await tab();
const device = await plugIn(page);
await device.answer(false);
for (const name of ["login", "register"]) {
  await page.goto(`/${name}`);
  await page.getByRole("button", { name: /Continue|Create/ }).first().waitFor();
  await shoot(page, name);
}
await join(page, ada);
await page.goto("/account/security");
await shoot(page, "choose");
await page.getByRole("button", { name: /^Authenticator app/ }).click();
await page.locator(".qr svg path").waitFor();
await shoot(page, "authenticator-app");
await addApp(page, ada);
await saveCodes(page, ada);
await device.answer(true);
await page.goto("/account/security");
await page.getByRole("button", { name: "Add a passkey" }).click();
await page.getByLabel(/^Name/).fill("Work laptop");
await page.getByRole("button", { name: "Create the passkey" }).click();
await page.getByText("Your passkey is added").waitFor();
await page.reload();
await shoot(page, "security");
await page.goto("/account");
await shoot(page, "account");

const mobile = await tab(MOBILE);
await call(mobile, "POST", "/v1/login", { identifier: ada.username, password: ada.password });
await call(mobile, "POST", "/v1/verify/totp", { code: await ada.app.fresh() });
await page.goto("/account/sessions");
await shoot(page, "sessions");

const grace = await tab();
const other = named("grace", "Grace");
await join(grace, other);
await addApp(grace, other);
await call(grace, "POST", "/v1/chat/messages", { body: "Both doors open. Hello from the other side!" });
await call(page, "POST", "/v1/chat/messages", { body: "Hello! The passkey took two seconds." });
await call(grace, "POST", "/v1/chat/messages", { body: "My face took three. Worth it." });
await page.goto("/chat");
await shoot(page, "chat");
await endSession(page);
await device.answer(false);
await enterPassword(page, ada);
await page.waitForURL((url) => url.pathname === "/verify");
await shoot(page, "verify");
await page.getByRole("button", { name: /^Recovery code/ }).click();
await page.getByLabel("One of your recovery codes").fill(ada.codes[0]);
await page.getByRole("button", { name: /recovery code/ }).click();
await page.getByRole("heading", { name: "Set up a new second step" }).waitFor();
await shoot(page, "recovering");
await page.goto("/nothing-here");
await shoot(page, "error");
await browser.close();
if (photos) await shootFace(photos);
console.log(`pictures are in ${folder}`);
