// An app with screens of its own, on another origin of the same site: it imports the SDK from the server and needs no
// more of it. Its Content-Security-Policy forbids everything but that.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import path from "node:path";
import { after, before, test } from "node:test";
import AxeBuilder from "@axe-core/playwright";
import { plugIn } from "../helpers/authenticator.mjs";
import { base, launch, openTab, screensURL } from "../helpers/browser.mjs";
import { call, comeIn, joinWithApp, somebody } from "../helpers/people.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("node:http").Server} */
let app;
/** @type {import("node:http").Server} */
let stranger;

before(async () => {
  browser = await launch();
  app = await serve(Number(new URL(screensURL).port));
  stranger = await serve(0);
});
after(async () => {
  for (const server of [app, stranger]) {
    server.closeAllConnections();
    server.close();
  }
  await browser.close();
});

/** The app's only script: tests call what it puts on the window. */
const SCRIPT = `import { sallyport, Problem } from "${base}/sdk/sallyport.js";
window.s = sallyport();
const root = document.documentElement;
root.dataset.ends = "0";
window.listen = () => void s.onRevoked(() => root.dataset.ends++);
root.dataset.ready = "";
/** Problems don't cross from the page to the test as they are. */
window.told = (work) => work().then((value) => ({ value }), (error) => ({ code: error.code, status: error.status, problem: error instanceof Problem }));
`;

/** @param {number} port */
async function serve(port) {
  const server = createServer((request, response) => {
    if (request.url === "/app.js") return void response.setHeader("Content-Type", "text/javascript").end(SCRIPT);
    response.setHeader("Content-Security-Policy", `default-src 'none'; script-src 'self' ${base}; connect-src ${base} ${base.replace("http", "ws")}; img-src data:; base-uri 'none'`);
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><html lang="en"><title>App</title><link rel="icon" href="data:,"><main><h1>${request.url}</h1></main><script type="module" src="/app.js"></script></html>`);
  }).listen(port, "localhost");
  await once(server, "listening");
  return server;
}

/**
 * Opens the app in a tab.
 * @param {import("node:test").TestContext} t
 * @param {number[]} [refusals]
 * @param {string} [at]
 */
async function open(t, refusals = [], at = screensURL) {
  const page = await openTab(t, browser, { refusals });
  await page.goto(`${at}/home`);
  await page.locator("html[data-ready]").waitFor();
  return page;
}

test("an app signs somebody in with its own screens, hears of the end, and signs out", async (t) => {
  const person = somebody();
  const elsewhere = await openTab(t, browser);
  await joinWithApp(elsewhere, person);
  const page = await open(t, [401, 422]);
  assert.equal(await page.evaluate("s.session()"), null);
  const by = JSON.stringify({ identifier: person.username, password: person.password });
  assert.deepEqual(await page.evaluate(`told(() => s.signIn({ identifier: "${person.username}", password: "not this one" }))`), { code: "invalid_credentials", status: 401, problem: true });
  const half = await page.evaluate(`s.signIn(${by})`);
  assert.equal(half.state, "second_factor_required");
  assert.equal((await page.evaluate(`told(() => s.verify.totp("000000"))`)).code, "factor_rejected");
  const session = await page.evaluate(`s.verify.totp("${await person.app?.fresh()}")`);
  assert.equal(session.acr, "aal2");
  assert.equal((await page.evaluate("s.session()")).user.username, person.username);

  const line = page.waitForEvent("websocket");
  await page.evaluate("listen()");
  await line;
  await comeIn(elsewhere, person);
  await call(elsewhere, "DELETE", "/v1/me/sessions");
  await page.locator("html[data-ends='1']").waitFor({ timeout: 3000 });
  assert.equal(await page.evaluate("s.session()"), null);

  // The page's own sign-out is no surprise to it, nor does it spoil what it hears of the next session.
  const again = await page.evaluate(`s.signIn(${by})`);
  assert.equal(again.state, "second_factor_required");
  await page.evaluate("listen()");
  await page.evaluate("s.signOut()");
  await page.evaluate(`s.signIn(${by})`);
  await page.evaluate("listen()");
  await page.evaluate(`s.verify.totp("${await person.app?.fresh()}")`);
  assert.equal(await page.locator("html").getAttribute("data-ends"), "1");
  await call(page, "DELETE", "/v1/session");
  await page.locator("html[data-ends='2']").waitFor({ timeout: 3000 });
});

test("passkeys: one is added with the dialog of the SDK, and signs in by itself", async (t) => {
  const person = somebody();
  const page = await open(t, [401, 403, 422]);
  await plugIn(page);
  await joinWithApp(page, person);
  const adding = page.evaluate(`told(() => s.enrol.passkey("Laptop"))`);
  const dialog = page.getByRole("dialog", { name: "Confirm it’s you" });
  await dialog.getByLabel("Your password").waitFor();
  const axe = await new AxeBuilder({ page }).disableRules(["color-contrast"]).analyze();
  assert.deepEqual(axe.violations.map((v) => v.id), []);
  await page.keyboard.press("Escape");
  assert.equal((await adding).code, "cancelled");
  assert.equal(await page.locator("dialog").count(), 0);

  const added = page.evaluate(`told(() => s.enrol.passkey("Laptop"))`);
  await dialog.getByLabel("Your password").fill("not this one");
  await dialog.getByRole("button", { name: "Continue" }).click();
  await dialog.getByRole("alert").filter({ hasText: /./ }).waitFor();
  await dialog.getByLabel("Your password").fill(person.password);
  await page.keyboard.press("Enter");
  await dialog.getByLabel(/Six digits/).fill(await /** @type {any} */ (person.app).fresh());
  await page.keyboard.press("Enter");
  assert.equal((await added).value?.passkey?.name, "Laptop", JSON.stringify(await added));
  assert.equal(await page.locator("dialog").count(), 0);

  await page.evaluate("s.signOut()");
  assert.equal((await page.evaluate("s.signInWithPasskey()")).acr, "aal2");
  await page.evaluate("s.signOut()");
  await page.evaluate(`s.signIn(${JSON.stringify({ identifier: person.username, password: person.password })})`);
  assert.equal((await page.evaluate("s.verify.passkey()")).state, "authenticated");
});

test("the guard leads on who lacks something, and asks afresh where that is enough", async (t) => {
  const person = somebody();
  const page = await open(t, [401, 403]);
  await page.evaluate(`void s.guard({ acr: "mfa", otherwise: "/sign-in" })`);
  await page.waitForURL(`${screensURL}/sign-in`);
  await page.locator("html[data-ready]").waitFor();
  await joinWithApp(page, person);
  assert.equal((await page.evaluate(`s.guard({ acr: "aal2", maxAge: 3600, otherwise: "/sign-in" })`)).user.username, person.username);
  // Too old: the dialog asks for a fresh sign-in, and whoever would rather not is led on as well.
  const asked = page.evaluate(`s.guard({ maxAge: 0.001, otherwise: (session) => "led on as " + session.user.username })`);
  await page.getByRole("dialog", { name: "Confirm it’s you" }).getByRole("button", { name: "Cancel" }).click();
  assert.equal(await asked, `led on as ${person.username}`);
});

test("a page that is not listed reads nothing and changes nothing", async (t) => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (stranger.address());
  const person = somebody();
  const listed = await open(t);
  await joinWithApp(listed, person);
  const page = await listed.context().newPage();
  /** @type {string[]} */
  const refused = [];
  page.on("console", (message) => void refused.push(message.text()));
  await page.goto(`http://localhost:${port}/home`);
  await page.locator("html[data-ready]").waitFor(); // the module itself is for everybody
  for (const work of ["s.session()", "s.signOut()", `s.signIn({ identifier: "${person.username}", password: "${person.password}" })`]) {
    assert.equal((await page.evaluate(`told(() => ${work})`)).code, "offline", work);
  }
  assert.ok(refused.some((text) => text.includes("CORS")), refused.join());
  await page.evaluate("listen()");
  await page.waitForEvent("console", { predicate: (message) => message.text().includes("WebSocket"), timeout: 5000 }).catch(() => assert.ok(refused.some((text) => text.includes("WebSocket")), refused.join()));
  assert.equal((await call(listed, "GET", "/v1/session")).status, 200);
});

test("npm packs what is needed and no more", () => {
  const folder = path.resolve(import.meta.dirname, "../../sdk");
  const [packed] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--offline"], { cwd: folder, encoding: "utf8" }));
  assert.deepEqual(packed.files.map((/** @type {{path: string}} */ file) => file.path).sort(), [
    "README.md", "dialog.js", "package.json", "passkey.js", "problem.js", "sallyport.js",
    "types/dialog.d.ts", "types/passkey.d.ts", "types/problem.d.ts", "types/sallyport.d.ts", "types/watch.d.ts", "watch.js",
  ]);
});
