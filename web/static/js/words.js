// @ts-check
// What a problem means to the person, and what to do next. The server's own sentence is better where it knows more
// than its code says.

import { Problem } from "./api.js";

/** @type {Record<string, string>} */
const WORDS = {
  invalid_request: "We couldn’t read that. Check what you typed and try again.",
  offline: "We can’t reach the server. Check your connection, then try again.",
  no_answer: "The server is taking too long to answer. Wait a moment, then try again.",
  invalid_credentials: "That email or username and password don’t belong together. Check both and try again.",
  factor_rejected: "That wasn’t accepted. Try again.",
  challenge_expired: "That took too long. Start again: you’ll have a fresh start.",
  last_factor: "This is your only second step. Add another one first, then remove this.",
  too_large: "The pictures are too big to send. Take them again.",
  cross_site: "Your browser says that this came from another site. Reload this page and try again.",
  not_found: "That isn’t here any more. Reload the page to see what is.",
  conflict: "Something changed in the meantime. Reload the page and try again.",
  face_no_face: "We couldn’t see a face. Turn towards the light, fill the oval and take the pictures again.",
  face_many_faces: "There was more than one face. Make sure that you’re alone in the picture and take the pictures again.",
  face_image: "The pictures couldn’t be read. Take them again.",
  face_quality: "The pictures weren’t clear enough. Hold still in even light and take them again.",
  face_pose: "Your head wasn’t turned as asked. Take the pictures again and follow the words below the camera.",
  face_mismatch: "That didn’t look like you to us. Face the light, take off anything that covers your face and try again, or use another way.",
  face_unavailable: "Signing in with your face isn’t available right now. Use another way, or try again in a few minutes.",
};

/** What narrows a face_ code.
 * @type {Record<string, string>} */
const REASONS = {
  equal_frames: "The camera sent the same picture more than once. Move a little and take them again.",
  different_people: "The pictures don’t all show the same person. Make sure that you’re alone in the picture and take them again.",
  too_large: "The pictures are too big. Take them again with another camera, or use another way.",
  too_small: "The pictures are too small. Take them again with another camera, or use another way.",
};

/** Codes whose detail knows more than the code says, and is written for the person. */
const TELLING = new Set(["invalid_request", "conflict", "last_factor", "passkey", "camera", "consent"]);

/** @param {unknown} error */
export function say(error) {
  if (!(error instanceof Problem)) return "Something went wrong in this page. Reload it and try again.";
  if (error.code === "rate_limited" || error.status === 429) return `Too many tries. Wait ${duration(error.retryAfter)}, then try again.`;
  if (error.code.startsWith("face_") && REASONS[error.reason]) return REASONS[error.reason];
  if (error.detail && (error.field || TELLING.has(error.code))) return sentence(error.detail);
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
  const text = detail[0].toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (!seconds || seconds <= 0) return "a few minutes";
  if (seconds < 90) return seconds === 1 ? "one second" : `${Math.ceil(seconds)} seconds`;
  if (seconds < 90 * 60) return `${Math.ceil(seconds / 60)} minutes`;
  return `${Math.ceil(seconds / 3600)} hours`;
}
