/**
 * Asks for the proofs of a step-up: the password where it is wanted, then a passkey or a code.
 * @param {import("./sallyport.js").StepUp} asked
 * @param {import("./sallyport.js").Sallyport} at
 * @returns {Promise<void>} rejected as "cancelled" when the person would rather not
 */
export function prove(asked: import("./sallyport.js").StepUp, at: import("./sallyport.js").Sallyport): Promise<void>;
