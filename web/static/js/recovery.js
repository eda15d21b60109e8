// @ts-check
// Recovery codes are shown once: copy, download, print, and a box to tick before the page lets go of them.

import { download } from "./download.js";

/**
 * @param {HTMLElement} place
 * @param {string[]} codes
 * @param {Element | null} shape the template to show them in
 * @returns {Promise<void>} kept when the person says that they are saved
 */
export function showCodes(place, codes, shape = document.querySelector("[data-codes-shape]")) {
  place.replaceChildren(/** @type {HTMLTemplateElement} */ (shape).content.cloneNode(true));
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (place.querySelector(selector));
  const text = codes.join("\n");
  for (const code of codes) {
    const item = document.createElement("li");
    item.textContent = code;
    find("[data-codes-list]").append(item);
  }
  copyOnClick(find("[data-codes-copy]"), () => text);
  find("[data-codes-download]").addEventListener("click", () => download("recovery-codes.txt", "text/plain", `Recovery codes for ${location.host}. Each works once.\n\n${text}\n`));
  find("[data-codes-print]").addEventListener("click", () => {
    document.body.classList.add("printing-codes");
    window.print();
    document.body.classList.remove("printing-codes");
  });
  const saved = /** @type {HTMLInputElement} */ (find("[data-codes-saved]"));
  const done = /** @type {HTMLButtonElement} */ (find("[data-codes-done]"));
  saved.addEventListener("change", () => (done.disabled = !saved.checked));
  find("h3").focus();
  return new Promise((resolve) => {
    done.addEventListener("click", () => {
      place.replaceChildren();
      resolve();
    });
  });
}

/**
 * @param {HTMLElement} button
 * @param {() => string} text
 */
export function copyOnClick(button, text) {
  const label = /** @type {HTMLElement} */ (button.querySelector("span"));
  const words = label.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      label.textContent = "Copied";
    } catch {
      label.textContent = "Select and copy by hand";
    }
    setTimeout(() => (label.textContent = words), 2500);
  });
}
