// @ts-check
import { request } from "./api.js";
import { onClick, onSubmit, reloadWith } from "./forms.js";
import { write } from "./stepup.js";

const root = /** @type {HTMLElement} */ (document.querySelector("[data-admin]"));
const list = /** @type {HTMLElement} */ (root.querySelector("[aria-labelledby=list-heading]"));

onSubmit(/** @type {HTMLFormElement} */ (root.querySelector("[data-open]")), async ({ username }) => {
  await write("POST", "/v1/admin/recoveries", { username: username.trim() });
  await reloadWith("It is asked for, and the owner was told. Another admin has to agree.");
});

for (const row of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("[data-id]"))) {
  const path = `/v1/admin/recoveries/${row.dataset.id}`;
  onClick(row.querySelector("[data-approve]"), list, async () => {
    await write("POST", `${path}/approve`, {});
    await reloadWith("You agreed. The letter is on its way.");
  });
  onClick(row.querySelector("[data-withdraw]"), list, async () => {
    await request("DELETE", path);
    await reloadWith("It is withdrawn, and the owner was told.");
  });
}
