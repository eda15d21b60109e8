// An app that keeps its users and passwords, and asks Sallyport for the second factor before it pays. Node 20, nothing else:
//
//   SALLYPORT=https://login.example.com CLIENT_ID=bank CLIENT_SECRET=… APP=https://bank.example.com PORT=3000 node server.mjs
//
// Its sign-in is left out: whoever names themselves by ?as=ana is Ana here, as if her password had been right.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const { SALLYPORT = "", CLIENT_ID = "", CLIENT_SECRET = "", APP = "", PORT = "3000" } = process.env;
const html = readFileSync(new URL("../page.html", import.meta.url), "utf8");
const context = { action: "Send 40 EUR to Ana", details: "To: DE12 5001 0517 0648 4898 90" };
const purpose = "payment";
/** Payments that wait for their confirmation, by transaction. */
const waiting = new Map();

/** Calls Sallyport as the app. */
async function ask(method, path, body) {
  const credentials = [CLIENT_ID, CLIENT_SECRET].map(encodeURIComponent).join(":");
  const headers = { Authorization: `Basic ${Buffer.from(credentials).toString("base64")}`, "Content-Type": "application/json" };
  const answer = await fetch(SALLYPORT + path, { method, headers, body: JSON.stringify(body) });
  const result = await answer.json();
  if (!answer.ok) throw new Error(`${result.code}: ${result.detail}`);
  return result;
}

/** What the result has to say if what was shown is what is about to be done: the keys in this order. */
function hashOf(subject) {
  const canonical = JSON.stringify({ action: context.action, details: context.details, purpose, subject });
  return createHash("sha256").update(canonical).digest("base64url");
}

/** Begins a confirmation, and binds it to this browser by a state that only it and we know. */
async function begin(subject, display) {
  const state = randomBytes(32).toString("base64url");
  // enrol: the password was just right, so a first factor may be set up on our word. Never say so for anybody else.
  const asked = { subject, display_name: subject, context, purpose, return_to: `${APP}/confirmed`, state, display, enrol: true };
  const { id, url } = await ask("POST", "/v1/transactions", asked);
  waiting.set(id, { subject, hash: hashOf(subject) });
  const secure = APP.startsWith("https:") ? "; Secure" : "";
  return { url, cookie: `confirm-${id}=${state}; Path=/; Max-Age=660; HttpOnly; SameSite=Lax${secure}` };
}

/** Ends a confirmation by what came back, and tells what became of the payment. */
async function end(params, cookies, subject) {
  const id = params.get("transaction") ?? "";
  const payment = waiting.get(id);
  const state = cookies.get(`confirm-${id}`) ?? "";
  const same = state !== "" && equal(state, params.get("state") ?? "");
  if (!payment || !same || params.get("iss") !== SALLYPORT || payment.subject !== subject) return "Not paid: this is not your confirmation.";
  waiting.delete(id);
  if (!params.has("code")) return "Not paid: you turned it down.";
  const result = await ask("POST", `/v1/transactions/${id}/result`, { code: params.get("code") });
  if (result.status !== "passed" || result.subject !== subject || !equal(result.context_hash, payment.hash)) return "Not paid: something else was confirmed.";
  return `Paid, confirmed by ${result.amr.join(" ")} (${result.acr}).`;
}

function equal(a, b) {
  const [x, y] = [a, b].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(x, y);
}

async function body(request) {
  let text = "";
  for await (const chunk of request) if ((text += chunk).length > 8192) throw new Error("too large");
  return new URLSearchParams(text);
}

createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", APP);
  const cookies = new Map((request.headers.cookie ?? "").split("; ").map((pair) => /** @type {[string, string]} */ (pair.split("="))));
  const subject = url.searchParams.get("as") ?? cookies.get("user") ?? "ana";
  const page = (outcome) => html.replace("SALLYPORT", SALLYPORT).replace("USER", escape(subject)).replace("OUTCOME", escape(outcome));
  const send = (status, type, text, more = {}) => response.writeHead(status, { "Content-Type": `${type}; charset=utf-8`, "Cache-Control": "no-store", ...more }).end(text);
  try {
    if (request.headers.origin && request.headers.origin !== APP && request.headers.origin !== "null") return send(403, "text/plain", "another site");
    switch (`${request.method} ${url.pathname}`) {
      case "GET /":
        return send(200, "text/html", page(""), { "Set-Cookie": `user=${encodeURIComponent(subject)}; Path=/; HttpOnly; SameSite=Lax` });
      case "POST /pay": {
        const display = (await body(request)).get("display") ?? "page";
        const begun = await begin(subject, display);
        if (display === "page") return send(303, "text/plain", "", { Location: begun.url, "Set-Cookie": begun.cookie });
        return send(200, "application/json", JSON.stringify({ url: begun.url }), { "Set-Cookie": begun.cookie });
      }
      case "GET /confirmed":
        return send(200, "text/html", page(await end(url.searchParams, cookies, subject)), { "Referrer-Policy": "no-referrer" });
      case "POST /confirmed":
        return send(200, "text/plain", await end(await body(request), cookies, subject));
    }
    send(404, "text/plain", "nothing here");
  } catch (error) {
    console.error(error);
    send(502, "text/plain", "Not paid: something went wrong.");
  }
}).listen(Number(PORT), new URL(APP).hostname);

function escape(text) {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
