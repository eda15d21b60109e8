// @ts-check
// Advice on a new password while it is typed. It is advice: it never stops anyone, and is silent when it can't be had.

import { request } from "./api.js";

const PAUSE = 600;

/**
 * @param {HTMLFormElement} form
 * @param {() => {email?: string, username?: string}} about what a good password doesn't repeat
 */
export function advise(form, about) {
  const field = /** @type {HTMLElement} */ (form.querySelector("[data-new-password]"));
  const input = /** @type {HTMLInputElement} */ (field.querySelector("input"));
  const line = /** @type {HTMLElement} */ (field.querySelector("[data-advice]"));
  let pending = new AbortController();
  let timer = 0;
  const silent = () => {
    line.textContent = "";
    delete line.dataset.score;
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    pending.abort();
    if ([...input.value].length < 4) return silent();
    timer = setTimeout(async () => {
      pending = new AbortController();
      try {
        const { score, words } = await request("POST", "/v1/password/advice", { password: input.value, ...about() }, pending.signal);
        line.textContent = words;
        line.dataset.score = String(score);
      } catch {
        silent();
      }
    }, PAUSE);
  });
}
