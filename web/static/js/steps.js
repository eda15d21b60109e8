// @ts-check

/**
 * Shows one section of a page that has several, and leads to its heading.
 * @param {HTMLElement} root
 * @param {string} step
 */
export function showStep(root, step) {
  for (const section of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-step]"))) {
    section.hidden = section.dataset.step !== step;
    if (!section.hidden) /** @type {HTMLElement} */ (section.querySelector("h1")).focus();
  }
}
