/**
 * What is known of a refusal: the server's problem document (RFC 9457), or a code of this module's own: "offline",
 * "no_answer", "cancelled", "passkey".
 * @typedef {{code: string, status?: number, detail?: string, field?: string, reason?: string, retry_after?: number, factors?: string[], password?: boolean, purpose?: string, object?: string, bot_check?: any}} Told
 */
/** What the server (or the lack of one) answered instead of what was asked for. */
export class Problem extends Error {
    /** @param {Told} from */
    constructor(from: Told);
    /** Stable; what programs act on. */
    code: string;
    /** Of HTTP; 0 where nothing was answered. */
    status: number;
    /** A sentence for people, in English. */
    detail: string;
    field: string;
    reason: string;
    /** In seconds; 0 where there is nothing to wait for. */
    retryAfter: number;
    factors: string[];
    purpose: string;
    object: string;
    /** @type {any} */
    botCheck: any;
}
/**
 * What is known of a refusal: the server's problem document (RFC 9457), or a code of this module's own: "offline",
 * "no_answer", "cancelled", "passkey".
 */
export type Told = {
    code: string;
    status?: number;
    detail?: string;
    field?: string;
    reason?: string;
    retry_after?: number;
    factors?: string[];
    password?: boolean;
    purpose?: string;
    object?: string;
    bot_check?: any;
};
