// @ts-check
// Another device signs in by the code that it shows: typed here, looked at, and allowed.
import { request } from "./api.js";
import { onClick, onSubmit } from "./forms.js";
import { showStep } from "./steps.js";
import { write } from "./stepup.js";

const typing = document.querySelector("[data-device] form");
if (typing instanceof HTMLFormElement) {
  onSubmit(typing, async ({ user_code }) => {
    const found = await write("POST", "/v1/device-authorizations", { user_code });
    location.assign(`/device/${found.id}`);
    await new Promise(() => {});
  });
}

const found = document.querySelector("[data-found-device]");
if (found instanceof HTMLElement) {
  const address = `/v1/device-authorizations/${found.dataset.foundDevice}`;
  onClick(found.querySelector("[data-allow]"), found, async () => {
    await write("POST", address, {});
    showStep(found, "allowed");
  });
  onClick(found.querySelector("[data-deny]"), found, async () => {
    await request("DELETE", address);
    showStep(found, "denied");
  });
}
