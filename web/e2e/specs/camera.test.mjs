// A camera that can't be had: each reason in words that say what to do. What getUserMedia throws is played, since no
// machine has all of these faults at once.

import { after, before, test } from "node:test";
import { launch, looksRight, openTab, says } from "../helpers/browser.mjs";
import { register, saveCodes, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/**
 * @param {import("node:test").TestContext} t
 * @param {() => void} fault runs in the page before its own scripts
 */
async function openCamera(t, fault) {
  const page = await openTab(t, browser, { refusals: [503] });
  await page.addInitScript(fault);
  await register(page, somebody());
  await saveCodes(page, {});
  await page.reload();
  const choice = page.getByRole("button", { name: /^Your face/ });
  if (await choice.isDisabled()) {
    t.skip("the face engine is not available here");
    return null;
  }
  await choice.click();
  await page.getByLabel(/^I agree/).check();
  await page.getByRole("button", { name: "Turn on the camera" }).click();
  return page;
}

/** @type {[string, () => void, RegExp][]} */
const FAULTS = [
  ["refused", () => (navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"))), /The camera was refused\. Allow it/],
  ["missing", () => (navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotFoundError"))), /We found no camera/],
  ["busy", () => (navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotReadableError"))), /The camera is busy\. Close other apps/],
  ["on an insecure page", () => Object.defineProperty(window, "isSecureContext", { value: false }), /only works over a secure connection/],
];

for (const [name, fault, words] of FAULTS) {
  test(`a camera that is ${name} is explained`, async (t) => {
    const page = await openCamera(t, fault);
    if (!page) return;
    await says(page, words);
    await looksRight(page);
    await page.getByRole("button", { name: "Choose another way" }).locator("visible=true").click();
    await page.getByRole("heading", { name: "Choose your second step" }).waitFor();
  });
}

test("a browser without any camera says the same", async (t) => {
  const page = await openCamera(t, () => {});
  if (page) await says(page, /We found no camera|The camera was refused/);
});
