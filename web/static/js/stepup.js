// @ts-check
// Writes that want proof for just what they do: the dialog asks for it, then the write carries on where it stopped.

import { placeFor, Problem, request } from "./api.js";
import { onSubmit } from "./forms.js";
import { mountFactors } from "./verify.js";

const WHY = "This is about how your account is protected, so we ask once more. You’ll carry on right here.";
const TOO_WEAK =
  "None of your second steps is strong enough to allow this. A recovery code is: using one lets you set up a new second step, and then you sign in again.";

/** @typedef {{id: string, granted: boolean, password: boolean, factors: string[]}} StepUp */

/**
 * Like request, for everything that may answer step_up_required.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
export async function write(method, path, body) {
  const dialog = document.getElementById("step-up");
  try {
    return await request(method, path, body);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "step_up_required" || !(dialog instanceof HTMLDialogElement)) throw error;
    /** @type {StepUp} */
    const asked = await request("POST", "/v1/step-up", { purpose: error.purpose, object: error.object });
    if (!asked.granted) {
      mounted ??= new Dialog(dialog);
      await mounted.prove(asked);
    }
  }
  return request(method, path, body);
}

/** @type {Dialog | undefined} */
let mounted;

class Dialog {
  /** @param {HTMLDialogElement} root */
  constructor(root) {
    this.root = root;
    this.why = this.find("[data-step-up-why]");
    this.password = /** @type {HTMLFormElement} */ (this.find("[data-step-up-password]"));
    this.panels = this.find("[data-factors]");
    /** @type {StepUp} */
    this.asked = { id: "", granted: false, password: false, factors: [] };
    this.tooWeak = false;
    /** @type {{resolve: () => void, reject: (why: Problem) => void} | undefined} */
    this.waiting = undefined;

    onSubmit(this.password, async ({ password }) => {
      await request("POST", "/v1/verify/password", { password, step_up: this.asked.id });
      this.asked.password = false;
      this.next();
    });
    this.factors = mountFactors(
      this.panels,
      async (session) => {
        if (session.state !== "authenticated") {
          location.assign(placeFor(session));
          await new Promise(() => {});
        }
        this.done();
      },
      () => ({ step_up: this.asked.id }),
    );
    this.find("[data-step-up-cancel]").addEventListener("click", () => root.close());
    // Escape closes too; a promise that was kept ignores the refusal that follows.
    root.addEventListener("close", () => {
      this.factors.rest();
      this.password.reset();
      this.waiting?.reject(new Problem({ code: "cancelled" }));
    });
  }

  /** @param {string} selector */
  find(selector) {
    return /** @type {HTMLElement} */ (this.root.querySelector(selector));
  }

  /**
   * @param {StepUp} asked
   * @returns {Promise<void>} rejected as cancelled when the person would rather not
   */
  prove(asked) {
    this.asked = asked;
    this.tooWeak = !asked.password && !asked.factors.length;
    this.why.textContent = this.tooWeak ? TOO_WEAK : WHY;
    this.root.showModal();
    this.next();
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  /** The password first, then a factor. */
  next() {
    const { password, factors } = this.asked;
    this.password.hidden = !password;
    this.panels.hidden = password;
    if (password) {
      /** @type {HTMLElement} */ (this.password.querySelector("input[name=password]")).focus();
    } else if (factors.length || this.tooWeak) {
      this.factors.offer(factors.length ? factors : ["recovery"]);
    } else {
      this.done();
    }
  }

  done() {
    this.waiting?.resolve();
    this.root.close();
  }
}
