// @ts-check
// What every page does: signing out, leaving when that happened elsewhere, local times, showing passwords, unfolding, a
// word about what just happened.

import { api } from "./api.js";
import { onClick } from "./forms.js";
import { localTimes } from "./time.js";

for (const button of document.querySelectorAll("[data-sign-out]")) {
  onClick(button, document.body, async () => {
    await api.signOut();
    location.assign("/login");
    await new Promise(() => {});
  });
}

if (document.body.dataset.state) {
  api.onRevoked(() => {
    sessionStorage.setItem("flash", "You were signed out. Sign in to come back.");
    // Whoever stood before the second door starts over, and comes out where they were going.
    const next = location.pathname === "/verify" ? (document.body.dataset.next ?? "") : location.pathname + location.search;
    location.assign(next ? `/login?next=${encodeURIComponent(next)}` : "/login");
  });
}

localTimes(document);

for (const button of document.querySelectorAll("[data-reveal]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  const input = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.reveal ?? ""));
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.textContent = shown ? "Show" : "Hide";
    button.setAttribute("aria-label", shown ? "Show password" : "Hide password");
    input.focus();
  });
}

for (const button of document.querySelectorAll("[data-toggle]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  const folded = /** @type {HTMLElement} */ (document.getElementById(button.dataset.toggle ?? ""));
  button.addEventListener("click", () => {
    folded.hidden = !folded.hidden;
    button.setAttribute("aria-expanded", String(!folded.hidden));
    if (!folded.hidden) folded.querySelector("input")?.focus();
  });
}

const flash = document.querySelector("[data-flash]");
const words = takeWords();
if (words && flash instanceof HTMLElement) {
  flash.textContent = words;
  flash.hidden = false;
}

/** What the page before left to say; nothing in a frame of another site, where browsers keep nothing. */
function takeWords() {
  try {
    const words = sessionStorage.getItem("flash");
    sessionStorage.removeItem("flash");
    return words;
  } catch {
    return null;
  }
}
