// What a session that passed only the first door can reach: nothing but the second.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, openTab } from "../helpers/browser.mjs";
import { call, endSession, joinWithApp, knock, saveCodes, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const WRITES = [
  ["POST", "/v1/me/passkeys/options", {}],
  ["POST", "/v1/me/passkeys", { credential: {} }],
  ["PATCH", "/v1/me/passkeys/01890000-0000-7000-8000-000000000000", { name: "x" }],
  ["DELETE", "/v1/me/passkeys/01890000-0000-7000-8000-000000000000"],
  ["POST", "/v1/me/totp", {}],
  ["POST", "/v1/me/totp/confirm", { code: "000000" }],
  ["DELETE", "/v1/me/totp"],
  ["POST", "/v1/me/recovery-codes", {}],
  ["POST", "/v1/me/face/challenge", { consent_version: "1" }],
  ["DELETE", "/v1/me/face"],
  ["DELETE", "/v1/me/sessions"],
  ["DELETE", "/v1/me/sessions/01890000-0000-7000-8000-000000000000"],
  ["POST", "/v1/me/password", { current: "x", new: "a new one, long enough" }],
  ["POST", "/v1/chat/messages", { body: "let me in" }],
];

test("a level-1 session of a person with a second step opens no page but that step", async (t) => {
  const page = await openTab(t, browser);
  const person = somebody();
  await joinWithApp(page, person);
  await endSession(page);
  await knock(page, person);
  for (const closed of ["/chat", "/account", "/account/security", "/account/sessions"]) {
    await page.goto(closed);
    await page.waitForURL((url) => url.pathname === "/verify" && url.searchParams.get("next") === closed);
    assert.equal(await page.getByText(person.email).count(), 0);
  }
});

test("a level-1 session writes nothing", async (t) => {
  const page = await openTab(t, browser, { refusals: [403] });
  const person = somebody();
  await joinWithApp(page, person);
  await saveCodes(page, person);
  await endSession(page);
  await knock(page, person);
  await page.goto("/verify");
  for (const [method, path, body] of WRITES) {
    const answer = await call(page, method, path, body);
    assert.deepEqual([path, answer.status, answer.body?.code], [path, 403, "second_factor_required"]);
  }
  const closed = await page.evaluate(
    () =>
      new Promise((done) => {
        const socket = new WebSocket(`${location.origin.replace("http", "ws")}/v1/chat/socket`);
        socket.onopen = () => done("opened");
        socket.onerror = () => done("refused");
      }),
  );
  assert.equal(closed, "refused");
  const session = await call(page, "GET", "/v1/session");
  assert.equal(session.body.user, undefined);
});

test("nobody at all gets to sign in first", async (t) => {
  const page = await openTab(t, browser);
  for (const closed of ["/chat", "/account", "/account/security", "/account/sessions", "/verify"]) {
    await page.goto(closed);
    await page.waitForURL((url) => url.pathname === "/login");
  }
  for (const [method, path, body] of WRITES) {
    const answer = await call(page, method, path, body);
    assert.deepEqual([path, answer.status, answer.body?.code], [path, 401, "session_required"]);
  }
});

test("a write from another site is refused", async (t) => {
  const page = await openTab(t, browser);
  await joinWithApp(page, somebody());
  const answer = await page.context().request.post("/v1/chat/messages", {
    data: { body: "forged" },
    headers: { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" },
  });
  assert.equal(answer.status(), 403);
  assert.equal((await answer.json()).code, "cross_site");
});
