// @ts-check
// One way to talk to /v1: JSON out, JSON or a Problem back. A session that has ended or is not far enough sends the
// person where it can be mended, so that no other module has to think of it.

/**
 * @typedef {{state: string, factors?: string[], user?: {username: string}, recovery_code?: string}} Session
 */

/** What the server (or the lack of one) answered instead of what was asked for. */
export class Problem extends Error {
  /** @param {{code: string, status?: number, detail?: string, field?: string, reason?: string, retry_after?: number, factors?: string[], password?: boolean, purpose?: string, object?: string, bot_check?: any}} from */
  constructor(from) {
    super(from.detail || from.code);
    this.code = from.code;
    this.status = from.status ?? 0;
    this.detail = from.detail ?? "";
    this.field = from.field ?? "";
    this.reason = from.reason ?? "";
    this.retryAfter = from.retry_after ?? 0;
    this.factors = from.factors ?? [];
    this.purpose = from.purpose ?? "";
    this.object = from.object ?? "";
    /** @type {any} */
    this.botCheck = from.bot_check ?? null;
  }
}

/** Longer than the server's own deadline for a face match, so that its words arrive before ours. */
const PATIENCE = 30_000;

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} the decoded answer, null for 204
 */
export async function request(method, path, body, signal) {
  const patience = AbortSignal.timeout(PATIENCE);
  /** @type {RequestInit} */
  const init = {
    method,
    headers: { Accept: "application/json" },
    credentials: "same-origin",
    redirect: "error",
    signal: signal ? anyOf(signal, patience) : patience,
  };
  const { transaction } = document.body.dataset;
  if (transaction) init.headers = { ...init.headers, "Sallyport-Transaction": transaction };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, "Content-Type": "application/json" };
  }
  let answer;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new Problem({ code: signal?.aborted ? "cancelled" : patience.aborted ? "no_answer" : "offline" });
  }
  if (answer.ok) {
    return answer.status === 204 ? null : answer.json();
  }
  const problem = await readProblem(answer);
  const elsewhere = whereToMend(problem);
  if (elsewhere) {
    location.assign(elsewhere);
    // The page is about to be replaced: nothing may act on an answer that never came.
    return new Promise(() => {});
  }
  throw problem;
}

/** @param {Response} answer */
async function readProblem(answer) {
  let from = {};
  try {
    from = await answer.json();
  } catch {
    // A proxy in between answered with a page of its own; the status still tells what to say.
  }
  const wait = Number(answer.headers.get("Retry-After"));
  return new Problem({ code: "unknown", status: answer.status, ...(wait > 0 ? { retry_after: wait } : {}), ...from });
}

/** @param {Problem} problem */
function whereToMend(problem) {
  if (document.body.dataset.transaction) return ""; // nothing is mended there but at the app
  const verifying = location.pathname === "/verify";
  switch (problem.code) {
    case "session_required":
      return withNext("/login", wanted() || (verifying ? "" : here()));
    case "second_factor_required":
      return verifying ? "" : withNext("/verify", here());
    case "resetting":
      return "/reset";
    case "enrolment_required":
    case "recovering":
      return withNext("/account/security", location.pathname === "/account/security" ? "" : here());
  }
  return "";
}

function here() {
  return location.pathname + location.search;
}

/** Where the person was going before signing in got in the way. */
function wanted() {
  return safePath(document.body.dataset.next ?? "");
}

/**
 * A path on this site, or nothing. The server judges next as well; this holds even if it did not.
 * @param {string} path
 */
export function safePath(path) {
  if (!path.startsWith("/")) return "";
  try {
    const target = new URL(path, location.origin);
    // Dots are gone by now: /.//elsewhere would be read as another site when it is used again.
    return target.origin === location.origin && !target.pathname.startsWith("//") ? target.pathname + target.search + target.hash : "";
  } catch {
    return "";
  }
}

/**
 * @param {string} path
 * @param {string} next
 */
function withNext(path, next) {
  return next ? `${path}?next=${encodeURIComponent(next)}` : path;
}

/**
 * Goes on to wherever a session in this state has to go.
 * @param {Session} session
 */
export function arrive(session) {
  location.assign(placeFor(session));
  return new Promise(() => {});
}

/** @param {Session} session */
export function placeFor(session) {
  switch (session.state) {
    case "second_factor_required":
      return withNext("/verify", wanted());
    case "enrolment_required":
      return withNext("/account/security", wanted());
    case "recovering":
      return "/account/security";
    case "resetting":
      return "/reset";
  }
  return wanted() || document.body.dataset.home || "/account";
}

/**
 * AbortSignal.any, where the browser lacks it.
 * @param {...AbortSignal} signals
 */
function anyOf(...signals) {
  if (AbortSignal.any) return AbortSignal.any(signals);
  const either = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) either.abort(signal.reason);
    signal.addEventListener("abort", () => either.abort(signal.reason), { once: true });
  }
  return either.signal;
}
