// @ts-check
import { api, request } from "./api.js";
import { confirm } from "./confirm.js";
import { download } from "./download.js";
import { onClick, onSubmit, reloadWith } from "./forms.js";
import { advise } from "./password.js";
import { write } from "./stepup.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-password-form]"));
advise(form, () => ({}));

onSubmit(form, async ({ current, new: chosen }) => {
  await write("POST", "/v1/me/password", { current, new: chosen });
  await reloadWith("Your password is changed, and everywhere else is signed out.");
});

const addresses = /** @type {HTMLElement} */ (document.querySelector("[data-addresses]"));
for (const [name, path] of [["email", "/v1/me/email"], ["second", "/v1/me/email/second"]]) {
  const asking = /** @type {HTMLFormElement | null} */ (document.querySelector(`[data-${name}-form]`));
  if (!asking) continue;
  onSubmit(asking, async ({ email }) => {
    const sent = await write("POST", path, { email: email.trim() });
    await reloadWith(sent ? "We’ve sent a letter with a link. Open it on this or any other device." : "Your address is changed.");
  });
}
onClick(addresses.querySelector("[data-verify-email]"), addresses, async () => {
  await request("POST", "/v1/me/email/verification", {});
  await reloadWith("We’ve sent a letter with a link. Open it on this or any other device.");
});
const second = /** @type {HTMLElement | null} */ (document.querySelector("[data-second-address]"));
onClick(second?.querySelector("[data-remove-second]") ?? null, second ?? document.body, async () => {
  const sure = await confirm({
    heading: "Remove the second address?",
    text: "We no longer write there about what happens to your account. Both addresses are told that it’s gone.",
    yes: "Remove it",
  });
  if (!sure) return;
  await write("DELETE", "/v1/me/email/second");
  await reloadWith("Your second address is removed.");
});

const data = /** @type {HTMLElement} */ (document.querySelector("[data-my-data]"));
onClick(data.querySelector("[data-export]"), data, async () => {
  download("my-data.json", "application/json", JSON.stringify(await write("GET", "/v1/me/export"), null, 2));
});

onClick(data.querySelector("[data-delete]"), data, async () => {
  const days = Number(/** @type {HTMLElement} */ (data.querySelector("[data-delete]")).dataset.days);
  const sure = await confirm({
    heading: "Delete your account?",
    text:
      "Your ways to sign in, your face, your messages and everything else that we keep about you go for good. You are signed out everywhere now. " +
      (days ? `You can sign in and take it back for ${days} ${days === 1 ? "day" : "days"}; after that nobody can.` : "It goes at once, and nobody can take it back."),
    yes: "Delete my account",
    no: "Keep it",
  });
  if (!sure) return;
  await api.leaving(() => write("DELETE", "/v1/me"));
  location.assign("/login");
  await new Promise(() => {});
});

const going = /** @type {HTMLElement | null} */ (document.querySelector("[data-going]"));
if (going) {
  onClick(going.querySelector("[data-keep]"), going, async () => {
    await write("POST", "/v1/me/restore");
    await reloadWith("Your account stays.");
  });
}

const comingBack = /** @type {HTMLElement | null} */ (document.querySelector("[data-coming-back]"));
if (comingBack) {
  onClick(comingBack.querySelector("[data-stop-recovery]"), comingBack, async () => {
    await write("DELETE", "/v1/me/recovery");
    await reloadWith("The way back is stopped. Nobody comes in by it.");
  });
}
