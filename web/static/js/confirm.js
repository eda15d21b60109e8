// @ts-check
// A question before something that can't be taken back.

/**
 * @param {{heading: string, text: string, yes: string, no?: string}} question
 * @returns {Promise<boolean>}
 */
export function confirm({ heading, text, yes, no }) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("confirm"));
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (dialog.querySelector(selector));
  find("#confirm-heading").textContent = heading;
  find("#confirm-text").textContent = text;
  find("[data-confirm-yes]").textContent = yes;
  find("[data-confirm-no]").textContent = no ?? "Keep it";
  find("[data-confirm-yes]").onclick = () => dialog.close("yes");
  find("[data-confirm-no]").onclick = () => dialog.close("");
  dialog.returnValue = "";
  dialog.showModal();
  find("[data-confirm-no]").focus();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true });
  });
}
