// Pictures of the real pages for the documents, on a fresh database: node run.mjs screenshots.mjs FOLDER

import { mkdirSync } from "node:fs";
import path from "node:path";
import { plugIn } from "./helpers/authenticator.mjs";
import { base, desktop, launch, phone } from "./helpers/browser.mjs";
import { framesOf, sit } from "./helpers/actor.mjs";
import { photos } from "./helpers/camera.mjs";
import { addApp, call, comeToTheCamera, confirmInDialog, endSession, enterPassword, saveCodes } from "./helpers/people.mjs";
import { restorePolicy, withPolicy } from "./helpers/policy.mjs";

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
 * The camera, each time another prompt is there. It goes on meanwhile, so this is one picture and not one in each light.
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
async function shootCamera(page, name) {
  const seen = new Set();
  for (;;) {
    const prompt = await page.locator("[data-capture]:visible").first().getAttribute("data-prompt").catch(() => null);
    if (prompt && !seen.has(prompt)) {
      seen.add(prompt);
      // Once the person does it.
      await page.waitForTimeout(900);
      await page.screenshot({ path: path.join(folder, `${name}-${prompt}.png`) });
    }
    if ((await page.locator("[data-phase=live]").count()) === 0) return;
    await page.waitForTimeout(100);
  }
}

/**
 * What somebody sees who chooses their face first.
 * @param {NonNullable<typeof photos>} photos
 */
async function shootFace(photos) {
  const frames = { enrolled: framesOf(photos.enrolled), stranger: framesOf(photos.stranger) };
  const seat = await launch();
  const page = await tab(LAPTOP, seat);
  await sit(page, { loops: frames.enrolled });
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
  await page.setViewportSize(phone);
  await page.emulateMedia({ colorScheme: "light" });
  await page.getByLabel(/^I agree/).check();
  await page.getByRole("button", { name: "Turn on the camera" }).click();
  await page.locator("[data-phase=live]").waitFor();
  await shootCamera(page, "face-camera-phone-light");
  await page.getByRole("heading", { name: "You’re in" }).waitFor();
  await shoot(page, "you-are-in");
  await page.goto("/account/security");
  await page.getByText("This browser", { exact: true }).waitFor();
  await shoot(page, "face-security");
  await page.getByRole("button", { name: "Improve my face sign-in" }).click();
  await shoot(page, "face-improve");
  await comeToTheCamera(page, joan);
  await shoot(page, "face-verify");
  await page.setViewportSize(desktop);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.getByRole("button", { name: "Sign in with your face" }).click();
  await page.locator("[data-phase=live]").waitFor();
  await shootCamera(page, "face-camera-desktop-dark");
  await page.waitForURL((url) => url.pathname === "/chat");
  await page.goto("/account/security");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("button", { name: "Create the passkey" }).click();
  await page.getByRole("dialog", { name: "Confirm it’s you" }).getByText(/None of your second steps/).waitFor();
  await shoot(page, "step-up");

  const other = await tab(LAPTOP, seat);
  await sit(other, { loops: frames.stranger });
  await comeToTheCamera(other, joan);
  await other.getByRole("button", { name: "Sign in with your face" }).click();
  await other.locator("[data-capture-error]").getByText(/couldn’t confirm/).waitFor({ timeout: 60_000 });
  await shoot(other, "face-refused");

  await withPolicy({ face: { liveness: "active+flash", consent: { version: "2027-1", language: "en", text: ["We measure your face as before, and tell you here in other words."], cohort: ["May your numbers be in the sample by which results are compared fairly?"] } } });
  await page.goto("/account/security");
  await page.getByText("The text has changed").waitFor();
  await shoot(page, "face-ask-again");
  await comeToTheCamera(page, joan);
  await shoot(page, "face-colours-asked");
  for (const viewport of [desktop, phone]) {
    await page.setViewportSize(viewport);
    await page.getByLabel(/^No flashing colours/).uncheck();
    await page.getByRole("button", { name: "Sign in with your face" }).click();
    await page.locator("[data-light]:not([hidden])").waitFor({ timeout: 60_000 });
    await page.screenshot({ path: path.join(folder, `face-colours-${viewport.width}.png`) });
    await page.locator("[data-phase=checking], [data-phase=idle]").first().waitFor().catch(() => {});
    await comeToTheCamera(page, joan);
  }
  await restorePolicy();
  await seat.close();
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
await page.goto("/privacy/biometrics");
await shoot(page, "privacy");
await page.goto("/forgot");
await shoot(page, "forgot");
await page.goto("/link/not-me#of-a-letter");
await shoot(page, "not-me");
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
await page.getByRole("dialog", { name: "Confirm it’s you" }).waitFor();
await shoot(page, "step-up-password");
await confirmInDialog(page, ada);
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
