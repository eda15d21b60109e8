import { createHash } from "node:crypto";

/** What the apps of the tests show who they are by. */
export const secret = "the secret of the apps in the tests, which keep no other";

/**
 * The apps that the server knows: one of the site's own, one of somebody else, and the sample of a single-page app.
 * @param {string} at where the first two are
 * @param {string} spa where the sample is
 */
export function clientsText(at, spa) {
  const hash = createHash("sha256").update(secret).digest("hex");
  return `clients:
  - id: own
    name: Our own app
    first_party: true
    redirect_uris: ["${at}/callback"]
    post_logout_redirect_uris: ["${at}/", "${at}"]
    response_types: [code, id_token]
    scopes: [openid, profile, email, offline_access]
    secret_sha256: [${hash}]
  - id: others
    name: Example of others
    redirect_uris: ["${at}/callback"]
    scopes: [openid, profile, email]
    secret_sha256: [${hash}]
  - id: spa
    name: Sample
    first_party: true
    token_format: jwt
    redirect_uris: ["${spa}/callback"]
    post_logout_redirect_uris: ["${spa}/"]
    scopes: [openid, profile, offline_access]
    secret_sha256: [${hash}]
`;
}
