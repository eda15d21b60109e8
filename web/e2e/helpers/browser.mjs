// Chromium, and pages that are watched: whatever a person would not see but should never happen fails the test.

import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";
import assert from "node:assert/strict";

/** Where the apps are that a test has of its own. */
export const appURL = process.env.SALLYPORT_E2E_APP_URL ?? "";
/** Where an app may be on another site than the server. */
export const elsewhereURL = process.env.SALLYPORT_E2E_ELSEWHERE_URL ?? "";
/** Where the sample app is. */
export const chatURL = process.env.SALLYPORT_E2E_CHAT_URL ?? "";
/** Where an app is that has screens of its own, as the server's configuration lists it. */
export const screensURL = process.env.SALLYPORT_E2E_SCREENS_URL ?? "";
/** Where the sample of a single-page app is. */
export const spaURL = process.env.SALLYPORT_E2E_SPA_URL ?? "";
/** Where the app is that keeps its users itself: another site. */
export const bankURL = process.env.SALLYPORT_E2E_BANK_URL ?? "";
export const base = process.env.SALLYPORT_E2E_URL ?? "";

/** @param {string[]} [more] */
export function launch(more = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      ...more,
    ],
  });
}

export const phone = { width: 360, height: 740 };
export const desktop = { width: 1280, height: 800 };

/**
 * A browser profile: what it keeps, it keeps for all of its tabs.
 * @param {import("playwright-core").Browser} browser
 * @param {{viewport?: {width: number, height: number}, permissions?: string[], javaScriptEnabled?: boolean}} [options]
 */
export function newProfile(browser, { viewport = desktop, permissions = [], javaScriptEnabled = true } = {}) {
  return browser.newContext({ baseURL: base, viewport, permissions, javaScriptEnabled, reducedMotion: "reduce" });
}

/**
 * One watched tab, in a new profile or in one that outlives the test. What the test expects to be refused is named by
 * status, since Chromium writes every refused request to the console.
 * @param {import("node:test").TestContext} t
 * @param {import("playwright-core").Browser | import("playwright-core").BrowserContext} where
 * @param {Parameters<typeof newProfile>[1] & {refusals?: number[]}} [options]
 */
export async function openTab(t, where, { refusals = [], ...options } = {}) {
  const profile = "newContext" in where ? await newProfile(where, options) : where;
  const page = await profile.newPage();
  page.setDefaultTimeout(30_000);
  const faults = watch(page, refusals);
  t.after(async () => {
    await (profile === where ? page : profile).close();
    assert.deepEqual(faults, [], "the page had faults that nobody would see");
  });
  return page;
}

/**
 * @param {import("playwright-core").Page} page
 * @param {number[]} refusals
 */
function watch(page, refusals) {
  /** @type {string[]} */
  const faults = [];
  page.on("pageerror", (error) => faults.push(`page error: ${error.stack ?? error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    const refused = /the server responded with a status of (\d+)|handshake: Unexpected response code: (\d+)/.exec(message.text());
    if (refused && refusals.includes(Number(refused[1] ?? refused[2]))) return;
    faults.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== "blob:" && ![base, appURL, elsewhereURL, chatURL, screensURL, spaURL, bankURL].includes(origin)) faults.push(`request to another site: ${request.url()}`);
  });
  return faults;
}

/**
 * Nothing for axe to find, in light and in dark, and nothing wider than a phone.
 * @param {import("playwright-core").Page} page
 */
export async function looksRight(page) {
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    await page.emulateMedia({ colorScheme });
    const axe = new AxeBuilder({ page });
    // Nothing but colours changes in the dark.
    if (colorScheme === "dark") axe.withRules(["color-contrast"]);
    const { violations } = await axe.analyze();
    const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary}`).join("; ")}`);
    assert.deepEqual(found, [], `axe in ${colorScheme} on ${page.url()}`);
  }
  await page.emulateMedia({ colorScheme: null });
  const before = page.viewportSize();
  await page.setViewportSize(phone);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(over <= 0, `${page.url()} is ${over} px wider than a phone`);
  if (before) await page.setViewportSize(before);
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string} path with its query
 */
export async function arrivesAt(page, path) {
  await page.waitForURL((url) => url.pathname + url.search === path);
}

/**
 * @param {import("playwright-core").Page} page
 * @param {RegExp} words
 */
export async function says(page, words) {
  const line = page.locator("[role=alert]:visible, .field-error:visible, [role=status]:visible, h1:visible, .notice:visible").filter({ hasText: words });
  await line.first().waitFor();
}
