// @ts-check
import { Problem, arrive, request } from "./api.js";
import { onClick } from "./forms.js";
import { forget, keyOf, recognise, remember } from "./remembered.js";
import { mountFactors } from "./verify.js";

// Whoever comes by the letter at the end of a waiting has typed the password now.
if (sessionStorage.getItem("finish-recovery")) location.replace("/link/finish-recovery");

const root = document.querySelector("[data-factors]");
const offer = document.querySelector("[data-remember]");
const subject = offer instanceof HTMLElement ? (offer.dataset.remember ?? "") : "";

const lost = document.querySelector("[data-lost]");
if (lost instanceof HTMLElement) {
  onClick(lost.querySelector("[data-ask]"), lost, async () => {
    await request("POST", "/v1/recovery/wait", {});
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (lost.querySelectorAll("[data-asking], [data-asked]"))) part.hidden = !part.hidden;
  });
}

if (root instanceof HTMLElement) {
  mountFactors(root, passed);
  const open = root.querySelector("[data-factor]:not([hidden]) input.code");
  if (open instanceof HTMLElement) open.focus();
  if (subject) await tryDevice();
}

/** @param {import("./api.js").Session} session */
async function passed(session) {
  const box = offer?.querySelector("input");
  if (box?.checked && session.state === "authenticated") {
    await remember(subject).catch(() => {}); // then they are asked again next time
  }
  await arrive(session);
}

/** Goes in by itself where this device is remembered. Every other way stays open meanwhile, and after. */
async function tryDevice() {
  const key = await keyOf(subject);
  if (!key) return;
  const status = /** @type {HTMLElement} */ (document.querySelector("[data-recognising]"));
  status.textContent = "This device is remembered. Opening the door…";
  try {
    await arrive(await recognise(key));
  } catch (error) {
    status.textContent = "";
    if (error instanceof Problem && error.reason === "not_remembered") await forget(subject);
  }
}
