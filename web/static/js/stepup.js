// @ts-check
// Writes that want a fresh proof: the dialog asks for one, then the write carries on where it stopped.

import { placeFor, Problem, request } from "./api.js";
import { mountFactors } from "./verify.js";

const dialog = document.getElementById("step-up");

const WHY = "This changes how your account is protected, so we ask once more. You’ll carry on right here.";
const TOO_WEAK =
  "None of your second steps is strong enough to allow this. A recovery code is: using one lets you set up a new second step, and then you sign in again.";

/**
 * Like request, for everything that may answer step_up_required.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
export async function write(method, path, body) {
  try {
    return await request(method, path, body);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "step_up_required" || !(dialog instanceof HTMLDialogElement)) throw error;
    await proveAgain(dialog, error.factors);
  }
  return request(method, path, body);
}

/** @type {{resolve: () => void, reject: (why: Problem) => void} | undefined} */
let waiting;
/** @type {ReturnType<typeof mountFactors> | undefined} */
let factors;

/**
 * @param {HTMLDialogElement} open
 * @param {string[]} kinds
 * @returns {Promise<void>} rejected as cancelled when the person would rather not
 */
function proveAgain(open, kinds) {
  factors ??= mount(open);
  const why = /** @type {HTMLElement} */ (open.querySelector("[data-step-up-why]"));
  why.textContent = kinds.length ? WHY : TOO_WEAK;
  open.showModal();
  factors.offer(kinds.length ? kinds : ["recovery"]);
  return new Promise((resolve, reject) => {
    waiting = { resolve, reject };
  });
}

/** @param {HTMLDialogElement} open */
function mount(open) {
  const mounted = mountFactors(/** @type {HTMLElement} */ (open.querySelector("[data-factors]")), async (session) => {
    if (session.state !== "authenticated") {
      location.assign(placeFor(session));
      await new Promise(() => {});
    }
    waiting?.resolve();
    open.close();
  });
  open.querySelector("[data-step-up-cancel]")?.addEventListener("click", () => open.close());
  // Escape closes too; a promise that was kept ignores the refusal that follows.
  open.addEventListener("close", () => {
    mounted.rest();
    waiting?.reject(new Problem({ code: "cancelled" }));
  });
  return mounted;
}
