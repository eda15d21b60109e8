// @ts-check
// Writes that want proof for just what they do: the dialog asks for it, then the write carries on where it stopped.

import { api, placeFor, Problem } from "./api.js";
import { onSubmit } from "./forms.js";
import { mountFactors } from "./verify.js";

const WHY = "This is about how your account is protected, so we ask once more. You’ll carry on right here.";
const TOO_WEAK =
  "None of your second steps is strong enough to allow this. A recovery code is: using one lets you set up a new second step, and then you sign in again.";

/** @typedef {import("../sdk/sallyport.js").StepUp} StepUp */

export { api };

/** Like request, for everything that may want a step-up. */
export const write = api.write.bind(api);

/** @type {Dialog | undefined} */
let mounted;

api.prove = async (asked) => {
  const dialog = document.getElementById("step-up");
  if (!(dialog instanceof HTMLDialogElement)) throw new Problem({ code: "step_up_required", purpose: asked.purpose });
  mounted ??= new Dialog(dialog);
  await mounted.prove(asked);
};

class Dialog {
  /** @param {HTMLDialogElement} root */
  constructor(root) {
    this.root = root;
    this.why = this.find("[data-step-up-why]");
    this.password = /** @type {HTMLFormElement} */ (this.find("[data-step-up-password]"));
    this.panels = this.find("[data-factors]");
    /** @type {StepUp} */
    this.asked = { id: "", purpose: "", granted: false, password: false, factors: [] };
    this.tooWeak = false;
    /** @type {{resolve: () => void, reject: (why: Problem) => void} | undefined} */
    this.waiting = undefined;

    onSubmit(this.password, async ({ password }) => {
      await api.verify.password(password, this.asked.id);
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
      () => this.asked.id,
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
