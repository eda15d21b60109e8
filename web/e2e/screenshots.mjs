// Pictures of the real pages for the documents, on a fresh database: node run.mjs screenshots.mjs FOLDER

import { mkdirSync } from "node:fs";
import path from "node:path";
import { plugIn } from "./helpers/authenticator.mjs";
import { base, desktop, launch, phone } from "./helpers/browser.mjs";
import { addApp, call, endSession, enterPassword, saveCodes } from "./helpers/people.mjs";

const folder = process.argv[2];
if (!folder) throw new Error("give the folder that the pictures go to");
mkdirSync(folder, { recursive: true });

const LAPTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const MOBILE = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";

const browser = await launch();

/** @param {string} userAgent */
async function tab(userAgent = LAPTOP) {
  const context = await browser.newContext({ baseURL: base, userAgent, viewport: desktop, reducedMotion: "reduce", locale: "en-GB" });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
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
await browser.close();
console.log(`pictures are in ${folder}`);
