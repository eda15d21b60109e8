// @ts-check
import { api } from "./api.js";
import { confirm } from "./confirm.js";
import { onClick } from "./forms.js";
import { write } from "./stepup.js";

const root = /** @type {HTMLElement} */ (document.querySelector("main"));
const say = /** @type {HTMLElement} */ (document.querySelector("[data-say]"));

for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-sessions] [data-session]"))) {
  onClick(row.querySelector("[data-end-session]"), root, async () => {
    await write("DELETE", `/v1/me/sessions/${encodeURIComponent(row.dataset.session ?? "")}`);
    gone([row], `${row.querySelector("[data-session-name]")?.textContent} is signed out.`);
  });
}

for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-device]"))) {
  onClick(row.querySelector("[data-forget]"), root, async () => {
    await write("DELETE", `/v1/me/remembered-devices/${encodeURIComponent(row.dataset.device ?? "")}`);
    say.textContent = `${row.querySelector("strong")?.textContent} is forgotten, and asked for the second step again.`;
    row.remove();
    if (!document.querySelector("[data-device]")) document.querySelector("[data-remembered]")?.remove();
    (document.getElementById("remembered-devices") ?? document.getElementById("other-devices"))?.focus();
  });
}

for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-app]"))) {
  onClick(row.querySelector("[data-shut-out]"), root, async () => {
    await write("DELETE", `/v1/me/apps/${encodeURIComponent(row.dataset.app ?? "")}`);
    say.textContent = `${row.querySelector("strong")?.textContent} is shut out.`;
    row.remove();
    if (!document.querySelector("[data-app]")) document.querySelector("[data-apps]")?.remove();
    (document.getElementById("apps") ?? document.getElementById("other-devices"))?.focus();
  });
}

onClick(document.querySelector("[data-end-others]"), root, async () => {
  const sure = await confirm({
    heading: "Sign out everywhere else?",
    text: "Every other browser and app has to sign in again. This one stays.",
    yes: "Sign out everywhere else",
    no: "Leave them",
  });
  if (!sure) return;
  await write("DELETE", "/v1/me/sessions");
  gone([...document.querySelectorAll("[data-sessions] [data-session]")], "Everywhere else is signed out.");
});

onClick(document.querySelector("[data-end-all]"), root, async () => {
  const sure = await confirm({
    heading: "Sign out everywhere?",
    text: "Every browser and app has to sign in again, this one too.",
    yes: "Sign out everywhere",
    no: "Stay signed in",
  });
  if (!sure) return;
  await api.leaving(() => write("DELETE", "/v1/me/sessions?scope=all"));
  location.assign("/login");
  await new Promise(() => {});
});

/**
 * @param {Element[]} rows
 * @param {string} words
 */
function gone(rows, words) {
  for (const row of rows) row.remove();
  say.textContent = words;
  if (!document.querySelector("[data-sessions] [data-session]")) {
    document.querySelector("[data-sessions]")?.remove();
    document.querySelector("[data-end-others]")?.remove();
    /** @type {HTMLElement} */ (document.querySelector("[data-no-others]")).hidden = false;
  }
  document.getElementById("other-devices")?.focus();
}
