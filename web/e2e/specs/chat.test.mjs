import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, looksRight, openTab, says } from "../helpers/browser.mjs";
import { call, comeIn, joinWithApp, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/**
 * @param {import("playwright-core").Page} page
 * @param {string} words
 */
async function write(page, words) {
  await page.getByLabel("Your message").fill(words);
  await page.getByRole("button", { name: "Send" }).click();
}

test("two people talk", async (t) => {
  const [one, two] = [await openTab(t, browser), await openTab(t, browser)];
  await joinWithApp(one, somebody("ada"));
  await joinWithApp(two, somebody("grace"));
  await one.goto("/chat");
  await two.goto("/chat");
  const words = `hello & <b>welcome</b> ${Date.now()}`;
  await write(one, words);
  await two.getByText(words).waitFor();
  assert.equal(await two.getByText(words).locator("b").count(), 0);
  await write(two, `${words} back`);
  await one.getByText(`${words} back`).waitFor();
  assert.equal(await one.getByText(words, { exact: true }).count(), 1);
  await looksRight(one);
  await two.reload();
  await two.getByText(`${words} back`).waitFor();
});

test("the room closes within a second when the session is ended elsewhere", async (t) => {
  const person = somebody();
  const [here, elsewhere] = [await openTab(t, browser), await openTab(t, browser)];
  await joinWithApp(here, person);
  await comeIn(elsewhere, person);
  await here.goto("/chat");
  await here.waitForFunction(() => document.querySelector("[data-room-state]")?.textContent === "");
  // A message proves that the socket is open: what is posted elsewhere comes in by it alone.
  const words = `still here ${Date.now()}`;
  await call(elsewhere, "POST", "/v1/chat/messages", { body: words });
  await here.getByText(words).waitFor();

  const { body } = await call(elsewhere, "GET", "/v1/me/sessions");
  const other = body.sessions.find((s) => !s.current);
  const left = here.waitForURL((url) => url.pathname === "/login", { waitUntil: "commit" });
  const ended = await call(elsewhere, "DELETE", `/v1/me/sessions/${other.id}`);
  assert.equal(ended.status, 204);
  const began = performance.now();
  await left;
  assert.ok(performance.now() - began < 1500, `the room took ${Math.round(performance.now() - began)} ms to close`);
  await says(here, /You were signed out/);
});

test("the room comes back when the line does", async (t) => {
  const page = await openTab(t, browser);
  await joinWithApp(page, somebody());
  /** @type {import("playwright-core").WebSocketRoute[]} */
  const lines = [];
  await page.routeWebSocket(/\/v1\/chat\/socket/, (line) => {
    line.connectToServer();
    lines.push(line);
  });
  await page.goto("/chat");
  await page.waitForFunction(() => document.querySelector("[data-room-state]")?.textContent === "");
  while (lines.length === 0) await page.waitForTimeout(50);
  await lines[0].close({ code: 1001 });
  await says(page, /The line is down/);
  const words = `said meanwhile ${Date.now()}`;
  await call(page, "POST", "/v1/chat/messages", { body: words });
  await page.getByText(words).waitFor();
  await page.waitForFunction(() => document.querySelector("[data-room-state]")?.textContent === "");
});
