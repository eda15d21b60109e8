// @ts-check
// /account/security in its three states: choosing the first second factor, recovering, and managing them all.

import { request } from "./api.js";
import { confirm } from "./confirm.js";
import { mountDevices } from "./devices.js";
import { mountAddPasskey, mountAddTOTP } from "./enrol.js";
import { mountAddFace, mountAgreeAnew, mountCohort } from "./enrol-face.js";
import { onClick, onSubmit, reloadWith, showError } from "./forms.js";
import { showCodes } from "./recovery.js";
import { write } from "./stepup.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-enrol]"));
const first = root.dataset.enrol === "first";

/**
 * @template {HTMLElement} E
 * @param {string} selector
 * @returns {E | null}
 */
const find = (selector) => root.querySelector(selector);

/** @param {string} words */
async function done(words) {
  if (!first) return changed(words);
  show("done");
  /** @type {HTMLElement} */ (find("[data-done-words]")).textContent = words;
  /** @type {HTMLElement} */ (find("[data-later]")).hidden = true;
}

const passkeyForm = /** @type {HTMLFormElement | null} */ (find("[data-add-passkey]"));
const totpForm = /** @type {HTMLFormElement | null} */ (find("[data-add-totp]"));
const faceRoot = find("[data-add-face]");
const passkey = passkeyForm && mountAddPasskey(passkeyForm, done);
const totp = totpForm && mountAddTOTP(totpForm, done);
const face = faceRoot && mountAddFace(faceRoot, done);
const agree = /** @type {HTMLFormElement | null} */ (find("[data-agree-anew]"));
if (agree) mountAgreeAnew(agree);
const cohort = /** @type {HTMLFormElement | null} */ (find("[data-cohort]"));
if (cohort) mountCohort(cohort);
const devices = find("[data-devices]");
if (devices) mountDevices(devices).catch((error) => showError(devices, error));

/** @param {string} panel "" shows the choice */
function show(panel) {
  passkey?.rest();
  face?.rest();
  const choosing = /** @type {HTMLElement} */ (find("[data-choosing]"));
  choosing.hidden = panel !== "";
  let open = choosing;
  for (const section of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-panel]"))) {
    section.hidden = section.dataset.panel !== panel;
    if (!section.hidden) open = section;
  }
  /** @type {HTMLElement | null} */ (open.querySelector("h1"))?.focus();
}

for (const button of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-choose]"))) {
  button.addEventListener("click", () => {
    show(button.dataset.choose ?? "");
    if (button.dataset.choose === "totp") totp?.begin();
  });
}
for (const button of root.querySelectorAll("[data-back]")) button.addEventListener("click", () => show(""));

find("[data-start-totp]")?.addEventListener("click", (event) => {
  const unfolded = /** @type {HTMLElement} */ (event.currentTarget).getAttribute("aria-expanded") === "true";
  if (unfolded) totp?.begin();
});

const makeCodes = find("[data-make-codes]");
onClick(makeCodes, root, async () => {
  const place = /** @type {HTMLElement} */ (find("[data-codes-place]"));
  if (makeCodes?.hasAttribute("data-replaces")) {
    const sure = await confirm({
      heading: "Make a new set of codes?",
      text: "The codes you have now stop working at once.",
      yes: "Make a new set",
      no: "Keep the old ones",
    });
    if (!sure) return;
  }
  const { codes } = await write("POST", "/v1/me/recovery-codes", {});
  if (makeCodes) makeCodes.hidden = true;
  // Waiting for the person is not being busy, so nothing here awaits it.
  showCodes(place, codes).then(() => {
    if (!first) return changed("Your recovery codes are saved. The old ones no longer work.");
    find("[data-without-codes]")?.remove();
    /** @type {HTMLElement} */ (find("[data-codes-first]")).hidden = true;
    /** @type {HTMLElement} */ (find("[data-face-steps]")).hidden = false;
    /** @type {HTMLElement} */ (find("#add-face-heading")).focus();
  });
});

for (const row of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-passkey]"))) {
  mountPasskeyRow(row);
}

/** @param {HTMLElement} row */
function mountPasskeyRow(row) {
  const path = `/v1/me/passkeys/${encodeURIComponent(row.dataset.passkey ?? "")}`;
  const name = row.querySelector("[data-name]")?.textContent ?? "";
  const form = /** @type {HTMLFormElement | null} */ (row.querySelector("[data-rename]"));
  const actions = /** @type {HTMLElement | null} */ (row.querySelector("[data-row-actions]"));
  if (!form || !actions) return;
  /** @param {boolean} on */
  const renaming = (on) => {
    form.hidden = !on;
    actions.hidden = on;
    /** @type {HTMLElement | null} */ (on ? form.querySelector("input") : actions.querySelector("button"))?.focus();
  };
  row.querySelector("[data-rename-open]")?.addEventListener("click", () => renaming(true));
  row.querySelector("[data-rename-cancel]")?.addEventListener("click", () => renaming(false));
  onSubmit(form, async (data) => {
    await write("PATCH", path, { name: data.name.trim() });
    await reloadWith(`“${name}” is now called “${data.name.trim()}”.`);
  });
  onClick(row.querySelector("[data-remove-passkey]"), root, () =>
    remove(path, `“${name}” is removed.`, {
      heading: `Remove “${name}”?`,
      text: "It won’t open this account any more, and everywhere else is signed out. Delete it in your device’s settings too.",
      yes: "Remove the passkey",
    }),
  );
}

onClick(find("[data-remove-totp]"), root, () =>
  remove("/v1/me/totp", "Your authenticator app is removed.", {
    heading: "Remove the authenticator app?",
    text: "Its codes won’t work any more, and everywhere else is signed out.",
    yes: "Remove the app",
  }),
);

onClick(find("[data-remove-face]"), root, () =>
  remove("/v1/me/face", "The numbers of your face are erased.", {
    heading: "Erase the numbers of your face?",
    text: "They’re gone at once and your agreement is withdrawn. Everywhere else is signed out.",
    yes: "Erase them",
  }),
);

/**
 * @param {string} path
 * @param {string} words
 * @param {{heading: string, text: string, yes: string}} question
 */
async function remove(path, words, question) {
  if (!(await confirm(question))) return;
  await write("DELETE", path);
  await reloadWith(words);
}

/**
 * Tells of a new way in, and offers to sign out whoever came by the ways before it. What takes a way away has done so.
 * @param {string} words
 */
async function changed(words) {
  const { sessions } = await request("GET", "/v1/me/sessions");
  if (sessions.length > 1) sessionStorage.setItem("others", String(sessions.length - 1));
  return reloadWith(words);
}

const offer = find("[data-offer]");
const others = Number(sessionStorage.getItem("others"));
sessionStorage.removeItem("others");
if (offer && others > 0) {
  /** @type {HTMLElement} */ (offer.querySelector("[data-offer-words]")).textContent =
    others === 1
      ? "You’re still signed in at one other place. If that may not be you, sign it out now."
      : `You’re still signed in at ${others} other places. If one of them may not be you, sign them out now.`;
  offer.hidden = false;
}

onClick(find("[data-end-others]"), root, async () => {
  await request("DELETE", "/v1/me/sessions");
  await reloadWith("Everywhere else is signed out.");
});
