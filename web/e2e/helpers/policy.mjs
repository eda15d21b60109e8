// The policy file of the server under test: changed while it runs, as an admin would.

import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const file = process.env.SALLYPORT_E2E_POLICY ?? "";

/** Limits that a whole test run from one address stays within, and what is off by default; what a test is about, it sets itself. */
const BASE = {
  limits: {
    login: { max: 100000, window: "15m" },
    registration: { max: 100000, window: "1h" },
    passkey_login: { max: 100000, window: "15m" },
    advice: { max: 100000, window: "15m" },
  },
  recovery: { waiting: true },
};

/** @param {object} changes JSON is YAML too */
export function policyText(changes = {}) {
  return JSON.stringify({ ...BASE, ...changes }, null, 2);
}

/** @param {object} changes */
export async function withPolicy(changes) {
  if (!file) throw new Error("SALLYPORT_E2E_POLICY does not name the server's policy file");
  await writeFile(file, policyText(changes));
  // The server promises to take a change over within two seconds.
  await sleep(2100);
}

export function restorePolicy() {
  return withPolicy({});
}
