// @ts-check
// Our own pages talk to /v1 by the module that apps use. A session that has ended or is not far enough sends the person
// where it can be mended, so that no other module has to think of it.

import { Problem, sallyport } from "../sdk/sallyport.js";

/** @typedef {import("../sdk/sallyport.js").Session} Session */

export { Problem };

const { transaction } = document.body.dataset;

export const api = sallyport({
  headers: transaction ? { "Sallyport-Transaction": transaction } : {},
  onProblem(problem) {
    const elsewhere = whereToMend(problem);
    if (!elsewhere) return undefined;
    location.assign(elsewhere);
    // The page is about to be replaced: nothing may act on an answer that never came.
    return new Promise(() => {});
  },
});

export const request = api.request.bind(api);

/** @param {Problem} problem */
function whereToMend(problem) {
  if (transaction) return ""; // nothing is mended there but at the app
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
