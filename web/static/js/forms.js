// @ts-check
// Errors beside their fields, one alert per form, buttons that say they are busy.

import { Problem } from "./api.js";
import { say } from "./words.js";

/**
 * Runs work when the form is sent and is filled in, shows what went wrong, and never lets the form send itself.
 * @param {HTMLFormElement} form
 * @param {(data: Record<string, string>) => Promise<void>} work
 */
export function onSubmit(form, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearErrors(form);
    if (!complete(form)) return;
    const button = /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]"));
    await busy(button, async () => {
      try {
        await work(values(form));
      } catch (error) {
        showError(form, error);
      }
    });
  });
  // A field that is being mended stops complaining.
  form.addEventListener("input", (event) => {
    if (event.target instanceof HTMLInputElement) fieldError(event.target, "");
  });
}

/** @param {HTMLFormElement} form */
export function values(form) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const input of inputs(form)) {
    if (input.name) found[input.name] = input.value;
  }
  return found;
}

/** @param {HTMLFormElement} form */
function inputs(form) {
  return [...form.elements].filter((e) => e instanceof HTMLInputElement);
}

/**
 * Checks only what needs no server: empty fields, mistyped addresses, passwords of a wrong length.
 * @param {HTMLFormElement} form
 */
function complete(form) {
  /** @type {HTMLInputElement | undefined} */
  let first;
  for (const input of inputs(form)) {
    const words = complaint(input);
    if (!words) continue;
    fieldError(input, words);
    first ??= input;
  }
  first?.focus();
  return !first;
}

/** @param {HTMLInputElement} input */
function complaint(input) {
  if (input.validity.valueMissing) return input.dataset.missing ?? "Fill this in.";
  if (input.validity.typeMismatch) return input.dataset.mistyped ?? "";
  // The server counts characters after normalising, not UTF-16 halves.
  const length = [...input.value.normalize("NFKC")].length;
  const { min, max } = input.dataset;
  if (min && length < Number(min)) return `Use at least ${min} characters: this has ${length}.`;
  if (max && length > Number(max)) return `Use at most ${max} characters: this has ${length}.`;
  return "";
}

/**
 * @param {HTMLInputElement} input
 * @param {string} words empty to take the complaint back
 */
export function fieldError(input, words) {
  const line = document.getElementById(`${input.id}-error`);
  if (!line) return;
  line.textContent = words;
  line.hidden = !words;
  if (words) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/** @param {HTMLElement} root */
export function clearErrors(root) {
  alertIn(root, "");
  for (const input of root.querySelectorAll("input")) fieldError(input, "");
}

/**
 * Beside the field that the server names, else in the nearest alert.
 * @param {HTMLElement} root
 * @param {unknown} error
 */
export function showError(root, error) {
  if (error instanceof Problem && error.code === "cancelled") return;
  const words = say(error);
  const field = error instanceof Problem && error.field ? root.querySelector(`input[name="${CSS.escape(error.field)}"]`) : null;
  if (field instanceof HTMLInputElement && document.getElementById(`${field.id}-error`)) {
    fieldError(field, words);
    field.focus();
    return;
  }
  alertIn(root, words);
  if (!(error instanceof Problem)) console.error(error);
}

/**
 * Uses the nearest alert: inside root, else inside what is around it.
 * @param {HTMLElement} root
 * @param {string} words
 */
export function alertIn(root, words) {
  /** @type {HTMLElement | null} */
  let around = root;
  while (around && !around.querySelector("[data-error]")) around = around.parentElement;
  const line = around?.querySelector("[data-error]");
  if (!(line instanceof HTMLElement)) return;
  line.textContent = words;
  line.hidden = !words;
  if (words) line.focus();
}

/**
 * Keeps a button from being pressed twice, without disabling it: that would throw the focus away.
 * @template T
 * @param {HTMLButtonElement} button
 * @param {() => Promise<T>} work
 */
export async function busy(button, work) {
  if (button.getAttribute("aria-busy") === "true") return undefined;
  button.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/**
 * A button whose click runs work, once at a time, and shows what went wrong in the alert of root.
 * @param {Element | null} button
 * @param {HTMLElement} root
 * @param {() => Promise<unknown>} work
 */
export function onClick(button, root, work) {
  if (!(button instanceof HTMLButtonElement)) return;
  button.addEventListener("click", () =>
    busy(button, async () => {
      alertIn(root, "");
      try {
        await work();
      } catch (error) {
        showError(root, error);
      }
    }),
  );
}

/**
 * Reloads, so that what is shown is what the server says, and tells there what happened.
 * @param {string} words
 */
export function reloadWith(words) {
  sessionStorage.setItem("flash", words);
  location.reload();
  return new Promise(() => {});
}
