// @ts-check
// What the pages of letters' links have in common: the token is in the fragment, so no server and no scanner has seen it
// yet, and only a click uses it up.

import { Problem, request } from "./api.js";
import { showStep } from "./steps.js";

/** The link's token; without one the page says that it doesn't work. */
export function tokenOf(/** @type {HTMLElement} */ root) {
  const token = location.hash.slice(1);
  if (!token) showStep(root, "gone");
  return token;
}

/**
 * Posts the token, and leaves it neither in the address bar nor in the history once it is used up. Undefined when the link
 * doesn't work, which the page says then.
 * @param {HTMLElement} root
 * @param {string} kind
 * @param {object} body
 */
export async function follow(root, kind, body) {
  try {
    const answer = await request("POST", `/v1/links/${kind}`, body);
    history.replaceState(null, "", location.pathname);
    return answer;
  } catch (error) {
    if (!(error instanceof Problem && error.code === "challenge_expired")) throw error;
    history.replaceState(null, "", location.pathname);
    showStep(root, "gone");
    return undefined;
  }
}
