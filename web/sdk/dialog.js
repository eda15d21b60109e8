// @ts-check
// The dialog that asks for proof where an app has none of its own. It brings no style: an app's sheet has the class
// "sallyport-step-up" to go by, and a strict Content-Security-Policy nothing to forbid.

import { Problem } from "./problem.js";

/**
 * Asks for the proofs of a step-up: the password where it is wanted, then a passkey or a code.
 * @param {import("./sallyport.js").StepUp} asked
 * @param {import("./sallyport.js").Sallyport} at
 * @returns {Promise<void>} rejected as "cancelled" when the person would rather not
 */
export async function prove(asked, at) {
  const passkey = asked.factors.includes("passkey");
  if (!asked.password && !passkey && !asked.factors.includes("totp")) {
    throw new Problem({ code: "step_up_required", purpose: asked.purpose, factors: asked.factors, detail: `This can be confirmed at ${at.origin} alone.` });
  }
  const dialog = element("dialog", { class: "sallyport-step-up", "aria-labelledby": "sallyport-step-up-heading" });
  const alert = element("p", { role: "alert" });
  const steps = element("div", {});
  const cancel = element("button", { type: "button" }, "Cancel");
  cancel.addEventListener("click", () => dialog.close());
  dialog.append(element("h2", { id: "sallyport-step-up-heading" }, "Confirm it’s you"), alert, steps, cancel);
  document.body.append(dialog);
  dialog.showModal();
  const closed = new AbortController();
  dialog.addEventListener("close", () => closed.abort());

  /**
   * Shows a step until it is passed.
   * @param {HTMLElement[]} shown
   * @param {(form: HTMLFormElement) => Promise<unknown>} work
   */
  const step = (shown, work) =>
    new Promise((resolve, reject) => {
      const form = element("form", { method: "dialog" });
      form.append(...shown);
      steps.replaceChildren(form);
      form.querySelector("input")?.focus();
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (form.ariaBusy === "true") return;
        form.ariaBusy = "true";
        alert.textContent = "";
        try {
          resolve(await work(form));
        } catch (error) {
          if (!(error instanceof Problem)) return reject(error);
          alert.textContent = error.detail || error.code;
          form.querySelector("input")?.select();
        } finally {
          form.ariaBusy = "false";
        }
      });
      closed.signal.addEventListener("abort", () => reject(new Problem({ code: "cancelled" })), { once: true });
    });

  try {
    if (asked.password) {
      await step(field("Your password", { type: "password", autocomplete: "current-password" }, "Continue"), (form) => at.verify.password(typed(form), asked.id));
    }
    if (passkey) {
      await step([element("button", {}, "Confirm with your passkey")], () => at.verify.passkey(asked.id, closed.signal));
    } else if (asked.factors.includes("totp")) {
      const code = field("Six digits from your authenticator app", { inputmode: "numeric", autocomplete: "one-time-code" }, "Confirm");
      await step(code, (form) => at.verify.totp(typed(form), asked.id));
    }
  } finally {
    dialog.close();
    dialog.remove();
  }
}

/**
 * @param {string} words
 * @param {Record<string, string>} attributes
 * @param {string} button
 */
function field(words, attributes, button) {
  const label = element("label", {}, words);
  label.append(element("input", { name: "proof", required: "", ...attributes }));
  return [label, element("button", {}, button)];
}

/** @param {HTMLFormElement} form */
function typed(form) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem("proof")).value;
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {Record<string, string>} attributes
 * @param {string} [text]
 */
function element(name, attributes, text = "") {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.textContent = text;
  return made;
}
