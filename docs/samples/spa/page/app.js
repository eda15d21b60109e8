// @ts-check
// The access token lives in this variable and nowhere else: no storage that another script could read later.

let token = { value: "", until: 0 };

/** A token that lasts a while yet. Of all tabs one asks at a time, for a refresh token serves once. */
async function accessToken() {
  if (token.until > Date.now()) return token.value;
  return navigator.locks.request("token", async () => {
    const answer = await fetch("/token", { method: "POST" });
    if (!answer.ok) throw new Error(answer.status === 401 ? "Nobody is signed in." : "Try again shortly.");
    const { access_token, expires_in } = await answer.json();
    token = { value: access_token, until: Date.now() + (expires_in - 30) * 1000 };
    return token.value;
  });
}

const hello = /** @type {HTMLElement} */ (document.getElementById("hello"));
try {
  const answer = await fetch("/api/hello", { headers: { Authorization: `Bearer ${await accessToken()}` } });
  const said = await answer.json();
  hello.textContent = answer.ok ? `Hello ${said.hello}, signed in by ${said.acr}.` : said.detail;
} catch (error) {
  hello.textContent = /** @type {Error} */ (error).message;
}

document.getElementById("out")?.addEventListener("click", async () => {
  const { to } = await (await fetch("/sign-out", { method: "POST" })).json();
  location.assign(to);
});
