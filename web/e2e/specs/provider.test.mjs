import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import express from "express";
import openid from "express-openid-connect";
import * as client from "openid-client";
import { secret } from "../helpers/app.mjs";
import { appURL, base, elsewhereURL, launch, looksRight, openTab } from "../helpers/browser.mjs";
import { comeIn, confirmInDialog, endSession, joinWithApp, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/**
 * Has an app answer while a test runs.
 * @param {import("node:test").TestContext} t
 * @param {import("node:http").RequestListener} app
 * @param {string} at
 */
async function serve(t, app, at = appURL) {
  const { port, hostname } = new URL(at);
  const server = createServer(app).listen(Number(port), hostname);
  await once(server, "listening");
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
}

/**
 * openid-client, as its readme uses it.
 * @param {string} id
 */
async function discover(id) {
  return client.discovery(new URL(base), id, secret, undefined, { execute: [client.allowInsecureRequests] });
}

/**
 * Sends a page to the provider and gives what comes back to the callback.
 * @param {import("node:test").TestContext} t
 * @param {client.Configuration} config
 * @param {Record<string, string>} more
 */
async function begin(t, config, more) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const to = client.buildAuthorizationUrl(config, {
    redirect_uri: `${appURL}/callback`, scope: "openid profile email", state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", ...more,
  });
  /** @param {string} url */
  const end = (url) => client.authorizationCodeGrant(config, new URL(url), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce });
  return { to: to.href, end };
}

/** @type {import("node:http").RequestListener} */
const blank = (_, response) => response.setHeader("Content-Type", "text/html").end('<!doctype html><title>App</title><link rel="icon" href="data:,"><h1>The app</h1>');

test("openid-client: somebody signs in on the way to an app, and out again", async (t) => {
  await serve(t, blank);
  const person = somebody();
  const page = await openTab(t, browser);
  await joinWithApp(page, person);
  await endSession(page);
  const config = await discover("own");
  const way = await begin(t, config, { login_hint: person.username });
  await page.goto(way.to);
  await page.waitForURL((url) => url.pathname === "/login");
  assert.equal(await page.getByLabel("Email or username").inputValue(), person.username);
  await comeIn(page, person);
  await page.reload();
  await page.waitForURL((url) => url.href.startsWith(`${appURL}/callback`));
  const tokens = await way.end(page.url());
  const claims = /** @type {client.IDToken} */ (tokens.claims());
  assert.equal(claims.acr, "aal2");
  assert.equal(claims.preferred_username, person.username);
  const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(user.preferred_username, person.username);
  const out = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token ?? "", post_logout_redirect_uri: `${appURL}/` });
  await page.goto(out.href);
  await page.waitForURL(`${appURL}/`);
  await assert.rejects(client.fetchUserInfo(config, tokens.access_token, claims.sub));
});

test("openid-client: an app of others asks first, and is believed again after a fresh sign-in", async (t) => {
  await serve(t, blank);
  const person = somebody();
  const page = await openTab(t, browser, { refusals: [403] }); // that a step-up is wanted
  await joinWithApp(page, person);
  const config = await discover("others");
  const first = await begin(t, config, {});
  await page.goto(first.to);
  await page.getByRole("heading", { name: "Sign in to Example of others?" }).waitFor();
  await looksRight(page);
  await page.getByRole("button", { name: "Go on to Example of others" }).click();
  await page.waitForURL((url) => url.href.startsWith(`${appURL}/callback`));
  await first.end(page.url());

  const second = await begin(t, config, { prompt: "login" });
  await page.goto(second.to);
  await page.getByRole("heading", { name: "Confirm it’s you" }).first().waitFor();
  await looksRight(page);
  await page.getByRole("button", { name: "Confirm it’s me" }).click();
  await confirmInDialog(page, person);
  await page.waitForURL((url) => url.href.startsWith(`${appURL}/callback`));
  const claims = /** @type {client.IDToken} */ ((await second.end(page.url())).claims());
  assert.ok(Date.now() / 1000 - Number(claims.auth_time) < 60);

  await page.goto(`${base}/account/sessions`);
  await page.getByRole("button", { name: "Shut Example of others out" }).click();
  await page.getByRole("heading", { name: "Apps you let know about you" }).waitFor({ state: "detached" });
  await page.goto((await begin(t, config, {})).to);
  await page.getByRole("heading", { name: "Sign in to Example of others?" }).waitFor();
});

test("express-openid-connect: an ID token by form to another site, a cookie, an API behind it", async (t) => {
  const app = express();
  app.use(openid.auth({ issuerBaseURL: base, baseURL: elsewhereURL, clientID: "own", secret, authRequired: false }));
  app.get("/", (request, response) => void response.type("html").send(`<!doctype html><title>App</title><link rel="icon" href="data:,"><h1>${request.oidc.user?.name ?? "nobody"}</h1>`));
  app.get("/api/me", (request, response) => void (request.oidc.isAuthenticated() ? response.json(request.oidc.user) : response.sendStatus(401)));
  await serve(t, app, elsewhereURL);
  const person = somebody();
  const page = await openTab(t, browser);
  await joinWithApp(page, person);
  assert.equal((await page.request.get(`${elsewhereURL}/api/me`)).status(), 401);
  await page.goto(`${elsewhereURL}/login`);
  await page.waitForURL(`${elsewhereURL}/`);
  assert.match(await page.locator("h1").innerText(), /./);
  const user = await (await page.request.get(`${elsewhereURL}/api/me`)).json();
  assert.equal(user.preferred_username, person.username);
  await page.goto(`${elsewhereURL}/logout`);
  await page.waitForURL((url) => url.href.startsWith(elsewhereURL));
  assert.equal((await page.request.get(`${elsewhereURL}/api/me`)).status(), 401);
});

test("an app’s page hears in a frame that somebody signed out, asked or not, and is not waited for", async (t) => {
  /** @type {URL[]} */
  const told = [];
  let slow = false;
  await serve(t, (request, response) => {
    const url = new URL(request.url ?? "/", appURL);
    if (url.pathname === "/signed-out") told.push(url);
    if (url.pathname !== "/signed-out" || !slow) blank(request, response); // else it never answers
  });
  const config = await discover("own");
  for (const hinted of [true, false]) {
    const page = await openTab(t, browser);
    await joinWithApp(page, somebody());
    const way = await begin(t, config, {});
    await page.goto(way.to);
    await page.waitForURL((url) => url.href.startsWith(`${appURL}/callback`));
    const tokens = await way.end(page.url());
    slow = hinted;
    const out = client.buildEndSessionUrl(config, { ...(hinted ? { id_token_hint: tokens.id_token ?? "" } : {}), post_logout_redirect_uri: `${appURL}/` });
    await page.goto(out.href, { waitUntil: "commit" });
    if (!hinted) await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${appURL}/`);
    const heard = told.pop();
    assert.equal(heard?.searchParams.get("iss"), base);
    assert.equal(heard?.searchParams.get("sid"), tokens.claims()?.sid);
  }
});

test("somebody chooses another account than the one that is signed in", async (t) => {
  await serve(t, blank);
  const [first, second] = [somebody(), somebody()];
  const page = await openTab(t, browser);
  await joinWithApp(page, second);
  await endSession(page);
  await joinWithApp(page, first);
  const config = await discover("own");
  const way = await begin(t, config, { prompt: "select_account" });
  await page.goto(way.to);
  await page.getByRole("heading", { name: "Go on to Our own app?" }).waitFor();
  await looksRight(page);
  await page.getByRole("button", { name: "Use another account" }).click();
  await page.waitForURL((url) => url.pathname === "/login");
  await comeIn(page, second);
  await page.reload();
  const on = page.getByRole("button", { name: "Go on to Our own app" });
  await on.click();
  await page.waitForURL((url) => url.href.startsWith(`${appURL}/callback`));
  assert.equal((await way.end(page.url())).claims()?.preferred_username, second.username);
});

test("a television signs in by the code that it shows", async (t) => {
  const person = somebody();
  const page = await openTab(t, browser, { refusals: [400, 403] }); // a wrong code, and that a step-up is wanted
  await joinWithApp(page, person);
  const config = await client.discovery(new URL(base), "television", undefined, client.None(), { execute: [client.allowInsecureRequests] });
  const device = await client.initiateDeviceAuthorization(config, { scope: "openid profile offline_access" });
  const signedIn = client.pollDeviceAuthorizationGrant(config, device);
  await page.goto(`${base}/device`);
  await looksRight(page);
  const code = page.getByLabel("Code on your device");
  await code.fill("BBBB-BBBB");
  await code.press("Enter");
  await page.getByText("No device waits with this code").waitFor();
  await code.fill(device.user_code.toLowerCase());
  await code.press("Enter");
  await page.getByRole("heading", { name: "Sign in to Example TV on that device?" }).waitFor();
  await looksRight(page);
  await page.getByRole("button", { name: "Sign that device in" }).click();
  await confirmInDialog(page, person);
  await page.getByRole("heading", { name: "Go on at your device" }).waitFor();
  await looksRight(page);
  const tokens = await signedIn;
  assert.equal(/** @type {client.IDToken} */ (tokens.claims()).preferred_username, person.username);

  const unwanted = await client.initiateDeviceAuthorization(config, { scope: "openid" });
  await page.goto(unwanted.verification_uri_complete ?? "");
  assert.equal(await code.inputValue(), unwanted.user_code);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("button", { name: "Stop, this isn’t mine" }).click();
  await page.getByRole("heading", { name: "Nobody was signed in" }).waitFor();
  await page.goto(`${base}/account/sessions`);
  await page.getByText("Example TV").first().waitFor();
});
