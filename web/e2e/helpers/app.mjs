import { createHash } from "node:crypto";

/** What the apps of the tests show who they are by. */
export const secret = "the secret of the apps in the tests, which keep no other";

/**
 * The apps that the server knows: one of the site's own, one of somebody else, one that asks for second factors alone, and
 * the samples.
 * @param {{at: string, elsewhere: string, chat: string, spa: string, bank: string}} where at is where the first two are,
 * elsewhere where they are as well, on another site
 */
export function clientsText({ at, elsewhere, chat, spa, bank }) {
  const hash = createHash("sha256").update(secret).digest("hex");
  return `clients:
  - id: own
    name: Our own app
    first_party: true
    redirect_uris: ["${at}/callback", "${elsewhere}/callback"]
    post_logout_redirect_uris: ["${at}/", "${at}", "${elsewhere}"]
    frontchannel_logout_uri: "${at}/signed-out"
    response_types: [code, id_token]
    scopes: [openid, profile, email, offline_access]
    secret_sha256: [${hash}]
  - id: others
    name: Example of others
    redirect_uris: ["${at}/callback"]
    scopes: [openid, profile, email]
    secret_sha256: [${hash}]
  - id: portico
    name: Portico
    first_party: true
    redirect_uris: ["${chat}/callback"]
    post_logout_redirect_uris: ["${chat}/"]
    backchannel_logout_uri: "${chat}/logout/backchannel"
    scopes: [openid, profile]
    secret_sha256: [${hash}]
  - id: television
    name: Example TV
    public: true
    grant_types: ["urn:ietf:params:oauth:grant-type:device_code", refresh_token]
    scopes: [openid, profile, offline_access]
  - id: spa
    name: Sample
    first_party: true
    token_format: jwt
    redirect_uris: ["${spa}/callback"]
    post_logout_redirect_uris: ["${spa}/"]
    scopes: [openid, profile, offline_access]
    secret_sha256: [${hash}]
  - id: bank
    name: Example Bank
    transactions: {return_to: ["${bank}/confirmed"], frame_ancestors: ["${bank}"], enrols: true}
    secret_sha256: [${hash}]
`;
}
