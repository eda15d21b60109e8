export function passkeysWork(): boolean;
/**
 * @param {any} publicKey creation options as the server sent them
 * @param {AbortSignal} signal always given: some browsers wait for ever without one
 */
export function createPasskey(publicKey: any, signal: AbortSignal): Promise<any>;
/**
 * @param {any} publicKey request options as the server sent them
 * @param {AbortSignal} signal
 * @param {CredentialMediationRequirement} [mediation]
 */
export function getPasskey(publicKey: any, signal: AbortSignal, mediation?: CredentialMediationRequirement): Promise<any>;
