// @ts-check
// Signing out for an app: its other apps are told by their frames, then the person goes on.
import { api } from "./api.js";
import { onClick } from "./forms.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-end-session]"));

/** Until every frame is there. One that doesn't answer is not waited for. */
async function told() {
  const slow = new Promise((resolve) => setTimeout(resolve, 3000));
  const frames = [...root.querySelectorAll("iframe")].map((frame) => new Promise((resolve) => frame.addEventListener("load", resolve, { once: true })));
  await Promise.race([slow, Promise.all(frames)]);
}

onClick(root.querySelector("[data-sign-me-out]"), root, async () => {
  await api.signOut();
  root.append(/** @type {HTMLTemplateElement} */ (root.querySelector("[data-frames]")).content);
  await told();
  location.assign(root.dataset.after || "/login");
  await new Promise(() => {});
});

const on = root.querySelector("[data-on]");
if (on instanceof HTMLAnchorElement) {
  void told().then(() => location.assign(on.href));
}
