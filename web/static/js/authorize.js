// @ts-check
// What a person says to an app that would like to sign them in.
import { api, request } from "./api.js";
import { onClick } from "./forms.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-authorize]"));
const id = root.dataset.authorize;

/** @param {string} decision */
async function decide(decision) {
  await request("POST", `/v1/authorizations/${id}`, { decision });
  location.replace(`/authorize/${id}`);
  await new Promise(() => {});
}

onClick(root.querySelector("[data-allow]"), root, () => decide("allow"));
onClick(root.querySelector("[data-deny]"), root, () => decide("deny"));
onClick(root.querySelector("[data-switch]"), root, async () => {
  await api.signOut();
  location.replace(`/authorize/${id}`);
  await new Promise(() => {});
});
