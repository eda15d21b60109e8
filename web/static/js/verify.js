// @ts-check
// One panel for each factor and the way between them; used by the sign-in's second step and by the step-up dialog.

import { api, Problem, request } from "./api.js";
import { alertIn, clearErrors, fieldError, onClick, onSubmit } from "./forms.js";
import { mountCapture } from "./face-capture.js";
import { showCodes } from "./recovery.js";
import { sendWhenComplete } from "./totp.js";

/** The server says only that a factor was rejected; which one it was decides what helps.
 * @type {Record<string, string>} */
const REJECTED = {
  passkey: "That passkey wasn’t accepted. Try again with the one you added to this account, or use another way.",
  totp: "That code isn’t right, or it was used already. Type the one your app shows now.",
  recovery: "That isn’t one of your unused codes. Check the number in front and every letter.",
};

/**
 * @param {HTMLElement} root holds one [data-factor] panel for each kind
 * @param {(session: import("./api.js").Session) => Promise<void>} onPassed
 * @param {() => string} stepUp what the proof is for, where it is for more than signing in
 */
export function mountFactors(root, onPassed, stepUp = () => "") {
  const panels = [.../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-factor]"))];
  let offered = panels.map((panel) => panel.dataset.factor ?? "");
  let ceremony = new AbortController();
  /** @type {ReturnType<typeof mountCapture> | undefined} */
  let camera;

  for (const panel of panels) {
    switch (panel.dataset.factor) {
      case "passkey":
        onClick(panel.querySelector("[data-go]"), root, async () => {
          ceremony.abort();
          ceremony = new AbortController();
          try {
            await onPassed(await api.verify.passkey(stepUp(), ceremony.signal));
          } catch (error) {
            if (!(error instanceof Problem) || error.code !== "factor_rejected") throw error;
            alertIn(root, REJECTED.passkey);
          }
        });
        break;
      case "totp":
      case "recovery":
        mountCode(panel, panel.dataset.factor, onPassed, stepUp);
        break;
      case "face":
        camera = mountCapture(/** @type {HTMLElement} */ (panel.querySelector("[data-capture]")), {
          challenge: (wishes) => request("POST", "/v1/verify/face/challenge", { ...wishes, ...(stepUp() ? { step_up: stepUp() } : {}) }),
          take: async (body) => onPassed(await request("POST", "/v1/verify/face", body)),
        });
    }
  }

  /** Ends what may still be open: a passkey prompt, the camera. */
  function rest() {
    ceremony.abort();
    camera?.stop();
  }

  /** @param {string} kind */
  function choose(kind) {
    rest();
    clearErrors(root);
    for (const panel of panels) panel.hidden = panel.dataset.factor !== kind;
    for (const way of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-way]"))) {
      const its = way.dataset.way ?? "";
      way.hidden = its === kind || !offered.includes(its);
    }
    const ways = root.querySelector("[data-ways]");
    if (ways instanceof HTMLElement) ways.hidden = offered.length < 2;
    focusOn(panels.find((panel) => !panel.hidden));
  }

  for (const button of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-choose]"))) {
    button.addEventListener("click", () => choose(button.dataset.choose ?? ""));
  }

  return {
    rest,
    /** @param {string[]} kinds the first one opens */
    offer(kinds) {
      offered = kinds;
      for (const input of root.querySelectorAll("input")) input.value = "";
      choose(kinds[0]);
    },
  };
}

/** @param {HTMLElement | undefined} panel a code can be typed at once; anything else is better read first */
function focusOn(panel) {
  const target = panel?.querySelector("input.code") ?? panel?.querySelector("h2");
  if (target instanceof HTMLElement) target.focus();
}

/**
 * Shows the code that takes the place of the used one, and nothing beside it.
 * @param {HTMLElement} panel
 * @param {string} code
 */
function showFresh(panel, code) {
  const ways = panel.parentElement?.querySelector("[data-ways]");
  for (const rest of [panel.querySelector("form"), ways]) if (rest instanceof HTMLElement) rest.hidden = true;
  const place = /** @type {HTMLElement} */ (panel.querySelector("[data-code-place]"));
  return showCodes(place, [code], panel.querySelector("[data-code-shape]"));
}

/**
 * @param {HTMLElement} panel
 * @param {string} kind
 * @param {(session: import("./api.js").Session) => Promise<void>} onPassed
 * @param {() => string} stepUp
 */
function mountCode(panel, kind, onPassed, stepUp) {
  const form = /** @type {HTMLFormElement} */ (panel.querySelector("form"));
  const input = /** @type {HTMLInputElement} */ (panel.querySelector("input"));
  if (kind === "totp") sendWhenComplete(input);
  onSubmit(form, async () => {
    try {
      // A recovery code proves nothing: it leads to another kind of session.
      const session = await (kind === "totp" ? api.verify.totp(input.value, stepUp()) : api.verify.recovery(input.value));
      if (session.recovery_code) await showFresh(panel, session.recovery_code);
      await onPassed(session);
    } catch (error) {
      if (!(error instanceof Problem) || !["factor_rejected", "invalid_request"].includes(error.code)) throw error;
      fieldError(input, REJECTED[kind]);
      input.select();
    }
  });
}
