// @ts-check

/**
 * What is known of a refusal: the server's problem document (RFC 9457), or a code of this module's own: "offline",
 * "no_answer", "cancelled", "passkey".
 * @typedef {{code: string, status?: number, detail?: string, field?: string, reason?: string, retry_after?: number, factors?: string[], password?: boolean, purpose?: string, object?: string, bot_check?: any}} Told
 */

/** What the server (or the lack of one) answered instead of what was asked for. */
export class Problem extends Error {
  /** @param {Told} from */
  constructor(from) {
    super(from.detail || from.code);
    this.name = "Problem";
    /** Stable; what programs act on. */
    this.code = from.code;
    /** Of HTTP; 0 where nothing was answered. */
    this.status = from.status ?? 0;
    /** A sentence for people, in English. */
    this.detail = from.detail ?? "";
    this.field = from.field ?? "";
    this.reason = from.reason ?? "";
    /** In seconds; 0 where there is nothing to wait for. */
    this.retryAfter = from.retry_after ?? 0;
    this.factors = from.factors ?? [];
    this.purpose = from.purpose ?? "";
    this.object = from.object ?? "";
    /** @type {any} */
    this.botCheck = from.bot_check ?? null;
  }
}
