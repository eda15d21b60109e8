import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { framesOf, passes, sit } from "../helpers/actor.mjs";
import { plugIn } from "../helpers/authenticator.mjs";
import { openBank } from "../helpers/bank.mjs";
import { bankURL, launch, looksRight, newProfile, openTab, phone } from "../helpers/browser.mjs";
import { photos } from "../helpers/camera.mjs";
import { AuthenticatorApp } from "../helpers/totp.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const somebody = () => `ana-${randomBytes(4).toString("hex")}`;
const outcome = (/** @type {import("playwright-core").Page} */ page) => page.locator("#outcome");

/** @param {import("playwright-core").Page} page @param {string} who */
const visit = (page, who) => page.goto(`${bankURL}/?as=${who}`);

/**
 * Sets a passkey up as a subject's first factor.
 * @param {import("playwright-core").Page | import("playwright-core").FrameLocator} where
 */
async function setUpPasskey(where) {
  await where.getByRole("heading", { name: "Set up a second step for Example Bank" }).waitFor();
  await where.getByRole("button", { name: /^Passkey/ }).click();
  await where.getByRole("button", { name: "Create the passkey" }).click();
  await where.getByRole("button", { name: "Confirm, and go back to Example Bank" }).click();
}

for (const kind of /** @type {const} */ (["node", "go"])) {
  test(`the ${kind} sample: a first passkey, then a payment by it, turned down and again`, async (t) => {
    await openBank(t, kind);
    const page = await openTab(t, browser);
    const device = await plugIn(page);
    await visit(page, somebody());
    await page.getByRole("button", { name: "Pay", exact: true }).click();
    await page.getByText("Send 40 EUR to Ana").waitFor();
    assert.equal(new URL(page.url()).hash, "", "the secret stays in the address");
    await looksRight(page);
    await setUpPasskey(page);
    await outcome(page).getByText("Paid, confirmed by swk user mfa (aal2).").waitFor();
    assert.equal((await device.credentials()).length, 1);

    await page.goto(bankURL);
    await page.getByRole("button", { name: "Pay", exact: true }).click();
    await page.getByText("To: DE12 5001 0517 0648 4898 90").waitFor();
    await looksRight(page);
    await page.getByRole("button", { name: "This isn’t me, or I don’t want this" }).click();
    await outcome(page).getByText("Not paid: you turned it down.").waitFor();

    await page.goto(bankURL);
    await page.getByRole("button", { name: "Pay", exact: true }).click();
    await page.getByRole("button", { name: "Confirm with your passkey" }).click();
    await outcome(page).getByText("Paid, confirmed by swk user mfa (aal2).").waitFor();
    // What came back serves once, also for whoever loads it again.
    await page.reload();
    await outcome(page).getByText("Not paid: this is not your confirmation.").waitFor();
  });
}

test("an authenticator app, by the keyboard alone, on a phone", async (t) => {
  await openBank(t, "node");
  const page = await openTab(t, browser, { viewport: phone });
  await visit(page, somebody());
  await page.getByRole("button", { name: "Pay", exact: true }).press("Enter");
  const ready = page.locator("fieldset:enabled"); // a key pressed before that does nothing
  await ready.waitFor();
  await page.getByRole("button", { name: /^Authenticator app/ }).press("Enter");
  const secret = page.locator("[data-secret]", { hasText: /\w/ });
  await secret.waitFor();
  const app = new AuthenticatorApp(((await secret.textContent()) ?? "").replaceAll(" ", ""));
  await looksRight(page);
  await page.getByLabel("Type the six digits it shows").pressSequentially(await app.fresh());
  await page.getByRole("heading", { name: "It’s set up" }).waitFor();
  await looksRight(page);
  await ready.waitFor();
  await page.getByRole("button", { name: "Confirm, and go back to Example Bank" }).press("Enter");
  await outcome(page).getByText("Paid, confirmed by otp (one).").waitFor();

  await page.goto(bankURL);
  await page.getByRole("button", { name: "Pay", exact: true }).press("Enter");
  await ready.waitFor();
  await page.getByLabel("Six digits from your authenticator app").pressSequentially(await app.fresh());
  await outcome(page).getByText("Paid, confirmed by otp (one).").waitFor();
});

test("a pop-up tells the page that opened it, and closes", async (t) => {
  await openBank(t, "node");
  const page = await openTab(t, browser);
  await visit(page, somebody());
  const opening = page.waitForEvent("popup");
  await page.getByRole("button", { name: "Pay in a pop-up" }).click();
  const popup = await opening;
  await plugIn(popup);
  const closed = popup.waitForEvent("close");
  await setUpPasskey(popup);
  await closed;
  await outcome(page).getByText("Paid, confirmed by swk user mfa (aal2).").waitFor();
});

test("a frame of the app’s own page confirms there", async (t) => {
  await openBank(t, "node");
  const page = await openTab(t, browser);
  await plugIn(page);
  await visit(page, somebody());
  await page.getByRole("button", { name: "Pay in a frame" }).click();
  await setUpPasskey(page.frameLocator("iframe"));
  await outcome(page).getByText("Paid, confirmed by swk user mfa (aal2).").waitFor();

  await page.getByRole("button", { name: "Pay in a frame" }).click();
  const frame = page.frameLocator("iframe");
  const confirm = frame.getByRole("button", { name: "Confirm with your passkey" });
  await confirm.waitFor();
  // Something lies over it: nothing can be pressed, whatever it looks like.
  await page.evaluate(() => {
    const over = document.createElement("div");
    over.id = "over";
    over.style.cssText = "position:fixed;inset:0;background:#fff;pointer-events:none";
    document.body.append(over);
  });
  await frame.locator("fieldset:disabled").waitFor();
  await page.waitForTimeout(1500); // longer than it takes to open
  assert.ok(await confirm.isDisabled(), "it can be pressed under a cover");
  await page.evaluate(() => document.getElementById("over")?.remove());
  await confirm.click();
  await outcome(page).getByText("Paid, confirmed by swk user mfa (aal2).").waitFor();
});

test("a face is set up and shown in a frame of another site", { skip: photos ? false : "no photos to sit before the camera: give SALLYPORT_TESTDATA, or make models" }, async (t) => {
  assert.ok(photos);
  await openBank(t, "node");
  const page = await openTab(t, browser, { permissions: ["camera"] });
  await plugIn(page);
  await sit(page, { loops: framesOf(photos.enrolled) });
  await visit(page, somebody());
  await page.getByRole("button", { name: "Pay in a frame" }).click();
  const frame = page.frameLocator("iframe");
  await frame.getByRole("button", { name: /^Passkey/ }).click();
  await frame.getByRole("button", { name: "Create the passkey" }).click();
  await frame.getByText("Add your face too").click();
  await frame.getByLabel(/^I agree/).check();
  await frame.getByRole("button", { name: "Turn on the camera" }).click();
  await passes(frame, frame.getByText("Add your face too").waitFor({ state: "detached" }));
  await frame.getByRole("button", { name: "Confirm, and go back to Example Bank" }).click();
  await outcome(page).getByText("Paid, confirmed by").waitFor();

  await page.getByRole("button", { name: "Pay in a frame" }).click();
  await frame.getByRole("button", { name: /another way|face/i }).first().click();
  await frame.getByRole("button", { name: "Confirm with your face" }).click();
  await passes(frame, outcome(page).getByText("Paid, confirmed by face (one).").waitFor());
});

test("a page that is not the app’s shows nothing in its frame", async (t) => {
  await openBank(t, "node");
  const evil = createServer(async (request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><title>Evil</title><iframe src="${request.url?.slice(1) ? decodeURIComponent(request.url.slice(1)) : ""}"></iframe>`);
  }).listen(0, "127.0.0.1");
  await once(evil, "listening");
  t.after(() => evil.close());
  const profile = await newProfile(browser);
  t.after(() => profile.close());
  const page = await profile.newPage();
  await visit(page, somebody());
  for (const display of ["frame", "page", "popup"]) {
    const begun = await page.evaluate(async (display) => {
      const answer = await fetch("/pay", { method: "POST", redirect: "manual", body: new URLSearchParams({ display }) });
      return answer.type === "opaqueredirect" ? "" : (await answer.json()).url;
    }, display);
    const { port } = /** @type {import("node:net").AddressInfo} */ (evil.address());
    const framed = await profile.newPage();
    const refused = framed.waitForEvent("console", (m) => /frame-ancestors/.test(m.text()));
    await framed.goto(`http://127.0.0.1:${port}/${encodeURIComponent(begun || `${process.env.SALLYPORT_E2E_URL}/login`)}`);
    await refused;
    assert.equal(await framed.frameLocator("iframe").getByText("Example Bank").count(), 0, `${display} is shown to a stranger’s page`);
    await framed.close();
  }
});

test("the address opens in one browser alone", async (t) => {
  await openBank(t, "node");
  const page = await openTab(t, browser);
  await plugIn(page);
  await visit(page, somebody());
  const sent = page.waitForResponse((r) => r.url() === `${bankURL}/pay`);
  await page.getByRole("button", { name: "Pay", exact: true }).click();
  const url = (await (await sent).allHeaders()).location;
  await page.getByText("Send 40 EUR to Ana").waitFor();
  const thief = await openTab(t, browser, { refusals: [409] });
  await thief.goto(url);
  await thief.getByRole("heading", { name: "This was opened elsewhere" }).waitFor();
  await looksRight(thief);
  assert.equal(await thief.getByText("40 EUR").count(), 0);
  await setUpPasskey(page);
  await outcome(page).getByText("Paid").waitFor();
  // A reload of what is over says so.
  const late = await openTab(t, browser, { refusals: [410] });
  await late.goto(url);
  await late.getByRole("heading", { name: "This is over" }).waitFor();
  await looksRight(late);
});
