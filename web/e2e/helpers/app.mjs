import { createHash } from "node:crypto";

/** What the apps of the tests show who they are by. */
export const secret = "the secret of the apps in the tests, which keep no other";

/**
 * The apps that the server knows: one of the site's own, one of somebody else, and one that asks for second factors alone.
 * @param {string} at where they are
 * @param {string} bank where one is that keeps its users itself
 */
export function clientsText(at, bank) {
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
  - id: bank
    name: Example Bank
    transactions: {return_to: ["${bank}/confirmed"], frame_ancestors: ["${bank}"], enrols: true}
    secret_sha256: [${hash}]
`;
}
