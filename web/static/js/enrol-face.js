// @ts-check
// Setting up a face, improving it with another sitting, and agreeing to a changed text.

import { Problem, request } from "./api.js";
import { mountCapture } from "./face-capture.js";
import { onSubmit, reloadWith } from "./forms.js";
import { write } from "./stepup.js";

/**
 * @param {HTMLElement} root
 * @param {(words: string) => Promise<unknown>} done
 */
export function mountAddFace(root, done) {
  const improve = "improve" in root.dataset;
  const box = /** @type {HTMLInputElement | null} */ (root.querySelector("[data-consent-box]"));
  const cohort = /** @type {HTMLInputElement | null} */ (root.querySelector("[data-cohort-box]"));
  const capture = mountCapture(/** @type {HTMLElement} */ (root.querySelector("[data-capture]")), {
    // The agreement is recorded with the challenge, and only then may the camera open.
    challengeFirst: true,
    challenge: (wishes) => {
      if (box && !box.checked) throw new Problem({ code: "consent", detail: "Read the text above and tick its box first. The camera opens only with your agreement." });
      const agreed = { consent_version: root.dataset.consentVersion, cohort: cohort?.checked ?? false };
      return write("POST", "/v1/me/face/challenge", { ...agreed, improve, ...wishes });
    },
    take: async (body) => {
      await request("POST", "/v1/me/face", body);
      await done(improve ? "Your face sign-in is improved." : "Your face is set up.");
    },
  });
  box?.addEventListener("change", () => {
    if (!box.checked) capture.stop();
  });
  return { rest: () => capture.stop() };
}

/**
 * The text has changed since the person agreed.
 * @param {HTMLFormElement} form
 */
export function mountAgreeAnew(form) {
  const cohort = /** @type {HTMLInputElement | null} */ (form.querySelector("[data-cohort-box]"));
  onSubmit(form, async () => {
    await write("POST", "/v1/me/face/consent", { consent_version: form.dataset.consentVersion, cohort: cohort?.checked ?? false });
    await reloadWith("Thank you. Your agreement is recorded.");
  });
}

/**
 * The sample of faces that others are measured by: in and out at any time.
 * @param {HTMLFormElement} form
 */
export function mountCohort(form) {
  const inside = form.dataset.inCohort === "true";
  onSubmit(form, async () => {
    await write("POST", "/v1/me/face/consent", { consent_version: form.dataset.consentVersion, cohort: !inside });
    await reloadWith(inside ? "Your numbers are taken out of the sample." : "Thank you. Your numbers may be in the sample.");
  });
}
