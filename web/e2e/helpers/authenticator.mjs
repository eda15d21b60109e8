// A passkey device made of software, plugged into one page over the browser's own debugging protocol.

/**
 * @param {import("playwright-core").Page} page an authenticator belongs to one page
 * @param {{verifies?: boolean, keeps?: boolean}} [can] verifies: asks for finger, face or PIN; keeps: holds the key itself
 */
export async function plugIn(page, { verifies = true, keeps = true } = {}) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      // A USB key that keeps keys but can't verify would be asked to set a PIN first, which nobody answers here.
      transport: "internal",
      hasResidentKey: keeps,
      hasUserVerification: verifies,
      isUserVerified: verifies,
      automaticPresenceSimulation: true,
      defaultBackupEligibility: verifies,
      defaultBackupState: verifies,
    },
  });
  return {
    async credentials() {
      const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
      return credentials;
    },
    /** Stands for a finger that isn't the owner's. @param {boolean} isUserVerified */
    verify: (isUserVerified) => cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    /** Answers with a broken signature. @param {boolean} isBogusSignature */
    spoil: (isBogusSignature) => cdp.send("WebAuthn.setResponseOverrideBits", { authenticatorId, isBogusSignature }),
    /** Whether prompts are answered at all. @param {boolean} enabled */
    answer: (enabled) => cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled }),
    unplug: () => cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId }),
  };
}
