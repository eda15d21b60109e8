// @ts-check
// The browsers that hold a key: which of them is this one, adding it, removing any.

import { request } from "./api.js";
import { confirm } from "./confirm.js";
import { browserName, createKey, forgetKey, keyAmong, signAdding } from "./device-key.js";
import { alertIn, onClick, reloadWith } from "./forms.js";
import { write } from "./stepup.js";

/** @typedef {{devices: {id: string, name: string, thumbprint: string}[], subject: string, session: string}} Devices */

/** @param {HTMLElement} root */
export async function mountDevices(root) {
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-device]"))) mountRow(root, row);
  const add = /** @type {HTMLElement} */ (root.querySelector("[data-add-device]"));
  onClick(add, root, () => addThis(root));

  /** @type {Devices} */
  const { devices } = await request("GET", "/v1/me/devices");
  const mine = await keyAmong(devices.map((device) => device.thumbprint));
  const row = root.querySelector(`[data-device="${CSS.escape(devices.find((device) => device.thumbprint === mine?.thumbprint)?.id ?? "")}"]`);
  if (row instanceof HTMLElement) {
    row.dataset.thumbprint = mine?.thumbprint;
    /** @type {HTMLElement} */ (row.querySelector("[data-this-device]")).hidden = false;
  }
  add.hidden = Boolean(mine);
}

/** @param {HTMLElement} root */
async function addThis(root) {
  const key = await createKey();
  if (!key) return alertIn(root, "This browser can’t keep a key. Leave the private window, or allow this site to store data, then try again.");
  try {
    /** @type {Devices} */
    const whose = await request("GET", "/v1/me/devices");
    const signature = await signAdding(key, whose);
    await write("POST", "/v1/me/devices", { name: browserName(), public_key: key.publicKey, signature });
  } catch (error) {
    await forgetKey(key.thumbprint);
    throw error;
  }
  await reloadWith("This browser is added.");
}

/**
 * @param {HTMLElement} root
 * @param {HTMLElement} row
 */
function mountRow(root, row) {
  const name = row.querySelector("[data-name]")?.textContent ?? "";
  onClick(row.querySelector("[data-remove-device]"), root, async () => {
    const sure = await confirm({
      heading: `Remove “${name}”?`,
      text: "It stays signed in, but its camera is no longer known. To add it again you’ll need another way to sign in than your face.",
      yes: "Remove the browser",
    });
    if (!sure) return;
    await write("DELETE", `/v1/me/devices/${encodeURIComponent(row.dataset.device ?? "")}`);
    if (row.dataset.thumbprint) await forgetKey(row.dataset.thumbprint);
    await reloadWith(`“${name}” is removed.`);
  });
}
