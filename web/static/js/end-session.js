// @ts-check
// Signing out for an app: its other apps are told by their frames, then the person goes on.
import { api } from "./api.js";
import { onClick } from "./forms.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-end-session]"));

onClick(root.querySelector("[data-sign-me-out]"), root, async () => {
  await api.signOut();
  location.assign(root.dataset.after || "/login");
  await new Promise(() => {});
});

const on = root.querySelector("[data-on]");
if (on instanceof HTMLAnchorElement) {
  // A frame that doesn't answer is not waited for.
  const slow = new Promise((resolve) => setTimeout(resolve, 3000));
  const frames = [...root.querySelectorAll("iframe")].map((frame) => new Promise((resolve) => frame.addEventListener("load", resolve, { once: true })));
  Promise.race([slow, Promise.all(frames)]).then(() => location.assign(on.href));
}
