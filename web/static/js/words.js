// @ts-check
// What a problem means to the person, and what to do next. The server's own sentence is better where it knows more
// than its code says.

import { Problem } from "./api.js";

/** @type {Record<string, string>} */
const WORDS = {
  offline: "We can’t reach the server. Check your connection, then try again.",
  no_answer: "The server is taking too long to answer. Wait a moment, then try again.",
  invalid_credentials: "That email or username and password don’t belong together. Check both and try again.",
  factor_rejected: "That wasn’t accepted. Try again.",
  challenge_expired: "That took too long. Please start again.",
  bot_check_required: "There were too many failed tries from here. Wait a quarter of an hour, or sign in with a passkey.",
  bot_check_failed: "The check of your browser didn’t work. Reload this page and try again.",
  cross_site: "Your browser says that this came from another site. Reload this page and try again.",
  session_required: "This is over, or was opened elsewhere. Go back to the app, and start again there.",
  in_transaction: "This can’t be done here. Reload this page to see what can.",
  not_found: "That isn’t here any more. Reload the page to see what is.",
};

/** Codes whose detail knows more than the code says, and is written for the person. */
const TELLING = new Set(["invalid_request", "conflict", "last_factor", "passkey", "camera", "capture", "consent"]);

/** @param {unknown} error */
export function say(error) {
  if (!(error instanceof Problem)) return "Something went wrong in this page. Reload it and try again.";
  if (error.code === "rate_limited" || error.status === 429) return `Too many tries. Wait ${duration(error.retryAfter)}, then try again.`;
  const telling = error.field || TELLING.has(error.code) || error.code.startsWith("face_");
  if (telling && error.detail) return sentence(error.detail);
  if (WORDS[error.code]) return WORDS[error.code];
  if (error.status === 503) return `We’re out of reach for a moment; you haven’t been signed out. Try again in ${duration(error.retryAfter || 10)}.`;
  return sentence(error.detail) || "Something went wrong on our side. Try again in a moment.";
}

/**
 * A detail is written like a log line ("username is taken"); a page wants a sentence.
 * @param {string} detail
 */
function sentence(detail) {
  if (!detail) return "";
  const text = detail[0].toUpperCase() + detail.slice(1).replaceAll("'", "’");
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (!seconds || seconds <= 0) return "a few minutes";
  if (seconds < 90) return seconds === 1 ? "one second" : `${Math.ceil(seconds)} seconds`;
  if (seconds < 90 * 60) return `${Math.ceil(seconds / 60)} minutes`;
  return `${Math.ceil(seconds / 3600)} hours`;
}
