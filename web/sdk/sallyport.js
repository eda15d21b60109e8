// @ts-check
// Signing people in at Sallyport, from a page of its own or of an app on the same site: no dependency, and nothing but
// the v1 API. What is typed by JSDoc here is in types/ for TypeScript.

import { prove } from "./dialog.js";
import { createPasskey, getPasskey, passkeysWork } from "./passkey.js";
import { Problem } from "./problem.js";
import { follow } from "./watch.js";

export { passkeysWork, Problem };

/**
 * @typedef {object} Session
 * @property {string} id
 * @property {"second_factor_required" | "enrolment_required" | "recovering" | "resetting" | "authenticated"} state
 * @property {1 | 2} level
 * @property {string} acr
 * @property {string[]} amr
 * @property {string[]} factors what the person can be asked for, strongest first
 * @property {string | null} auth_time since when acr has been proven as a whole
 * @property {string} expires_at
 * @property {{id: string, email: string, email_verified: boolean, username: string, display_name: string}} [user]
 * @property {string[]} [groups]
 * @property {string} [recovery_code] the one that takes the place of the code that was used
 *
 * @typedef {{id: string, purpose: string, granted: boolean, password: boolean, factors: string[]}} StepUp what proofs are wanted
 *
 * @typedef {object} Options
 * @property {string} [origin] Sallyport's; where this module came from by default
 * @property {(asked: StepUp, at: Sallyport) => Promise<void>} [prove] asks for the proofs of a step-up, instead of a plain dialog
 * @property {Record<string, string>} [headers] sent with each request beside our own
 * @property {(problem: Problem) => unknown} [onProblem] told of each problem before whoever asked is; they wait for it
 *
 * @typedef {{acr?: "mfa" | "aal2", maxAge?: number}} Need maxAge in seconds
 */

/** Longer than the server's own deadline for a face match, so that its words arrive before ours. */
const PATIENCE = 30_000;

/** @param {Options} [options] */
export function sallyport(options) {
  return new Sallyport(options);
}

export class Sallyport {
  #left = 0;

  /** @param {Options} [options] */
  constructor(options = {}) {
    this.origin = options.origin ?? new URL(import.meta.url).origin;
    this.headers = options.headers ?? {};
    this.prove = options.prove ?? prove;
    this.onProblem = options.onProblem ?? (() => {});
  }

  /**
   * Asks the v1 API.
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>} the decoded answer, null for 204
   * @throws {Problem}
   */
  async request(method, path, body, signal) {
    try {
      return await this.#send(method, path, body, signal);
    } catch (error) {
      if (error instanceof Problem) await this.onProblem(error);
      throw error;
    }
  }

  /**
   * Like request, for everything that may want proof for just what it does: the proof is asked for, then it carries on.
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  async write(method, path, body) {
    try {
      return await this.request(method, path, body);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "step_up_required") throw error;
      await this.stepUp(error.purpose, error.object);
    }
    return this.request(method, path, body);
  }

  /**
   * Has the person prove what a purpose asks for; nothing where it is fresh enough.
   * @param {string} purpose
   * @param {string} [object] the id of what it is about
   */
  async stepUp(purpose, object = "") {
    /** @type {StepUp} */
    const asked = await this.request("POST", "/v1/step-up", { purpose, object });
    if (!asked.granted) await this.prove(asked, this);
  }

  /**
   * The session of this browser, wherever it stands.
   * @returns {Promise<Session | null>}
   */
  async session() {
    try {
      return await this.#send("GET", "/v1/session");
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === "session_required") return null;
      await this.onProblem(error);
      throw error;
    }
  }

  /**
   * The first door. The second one is next unless the state is "authenticated".
   * @param {{identifier: string, password: string, bot_check?: string}} by
   * @returns {Promise<Session>}
   */
  signIn({ identifier, password, bot_check }) {
    return this.request("POST", "/v1/login", { identifier, password, ...(bot_check ? { bot_check } : {}) });
  }

  /**
   * Both doors at once. With the mediation "conditional" the browser suggests passkeys below a field whose autocomplete
   * says webauthn, and this waits until one is chosen.
   * @param {{mediation?: CredentialMediationRequirement, signal?: AbortSignal}} [how]
   * @returns {Promise<Session>}
   */
  async signInWithPasskey({ mediation, signal = new AbortController().signal } = {}) {
    const { publicKey } = await this.request("POST", "/v1/login/passkey/options", {}, signal);
    return this.request("POST", "/v1/login/passkey", await getPasskey(publicKey, signal, mediation));
  }

  /** Each passes the second door, or gives a proof to the step-up whose id is named. */
  verify = {
    /** @param {string} password @param {string} stepUp @returns {Promise<Session>} */
    password: (password, stepUp) => this.request("POST", "/v1/verify/password", { password, step_up: stepUp }),

    /** @param {string} code @param {string} [stepUp] @returns {Promise<Session>} */
    totp: (code, stepUp) => this.request("POST", "/v1/verify/totp", { code: code.replace(/[\s-]/g, ""), ...about(stepUp) }),

    /** Leads to a session that replaces what was lost. @param {string} code @returns {Promise<Session>} */
    recovery: (code) => this.leaving(() => this.request("POST", "/v1/verify/recovery", { code: code.trim().toUpperCase() })),

    /** @param {string} [stepUp] @param {AbortSignal} [signal] @returns {Promise<Session>} */
    passkey: async (stepUp, signal = new AbortController().signal) => {
      const { publicKey } = await this.request("POST", "/v1/verify/passkey/options", about(stepUp), signal);
      return this.request("POST", "/v1/verify/passkey", await getPasskey(publicKey, signal));
    },
  };

  /** Each adds a factor to the account. */
  enrol = {
    /** @param {string} [name] @param {AbortSignal} [signal] */
    passkey: async (name = "", signal = new AbortController().signal) => {
      const { publicKey } = await this.write("POST", "/v1/me/passkeys/options", {});
      const credential = await createPasskey(publicKey, signal);
      return this.write("POST", "/v1/me/passkeys", name.trim() ? { name: name.trim(), credential } : { credential });
    },

    /** Then the code that the app shows is confirmed. @returns {Promise<{secret: string, uri: string, qr_svg: string}>} */
    totp: () => this.write("POST", "/v1/me/totp", {}),

    /** @param {string} code @returns {Promise<Session>} */
    confirmTOTP: (code) => this.write("POST", "/v1/me/totp/confirm", { code: code.replace(/[\s-]/g, "") }),
  };

  /** A sign-in once more within the session: the password and the best second factor. */
  confirm() {
    return this.write("POST", "/v1/session/confirm", {});
  }

  /** Ends the session. */
  signOut() {
    return this.leaving(() => this.request("DELETE", "/v1/session"));
  }

  /**
   * Ends the session by this page's own doing: what notices its end meanwhile is not to be surprised.
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async leaving(work) {
    this.#left++;
    try {
      return await work();
    } catch (error) {
      this.#left--;
      throw error;
    }
  }

  /**
   * Tells once when the session was ended elsewhere (session.revoked), within a second; at once where there is none. After
   * another sign-in in the same page it has to be asked again.
   * @param {() => void} over
   * @returns {() => void} stops listening
   */
  onRevoked(over) {
    const left = this.#left;
    return follow(this.origin, () => {
      if (this.#left === left) over();
    });
  }

  /**
   * Lets a page go on for whoever is signed in as well as it needs, and asks for a fresh sign-in where that is all that
   * is missing. It keeps nobody out of anything: what a page shows is the business of the server that gives it.
   * @param {Need & {otherwise: string | ((session: Session | null) => any)}} need otherwise is an address to go to, or told instead
   * @returns {Promise<Session>}
   */
  async guard({ acr, maxAge, otherwise }) {
    let session = await this.session();
    if (session?.state === "authenticated" && !meets(session, { acr, maxAge })) {
      await this.confirm().catch((error) => {
        if (!(error instanceof Problem) || !["cancelled", "step_up_required"].includes(error.code)) throw error;
      });
      session = await this.session();
    }
    if (session && meets(session, { acr, maxAge })) return session;
    if (typeof otherwise === "function") return otherwise(session);
    location.assign(otherwise);
    // The page is about to be replaced: nothing may act on an answer that never came.
    return new Promise(() => {});
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {AbortSignal} [signal]
   */
  async #send(method, path, body, signal) {
    const patience = AbortSignal.timeout(PATIENCE);
    /** @type {RequestInit} */
    const init = {
      method,
      headers: { ...this.headers, Accept: "application/json" },
      credentials: "include",
      redirect: "error",
      signal: signal ? anyOf(signal, patience) : patience,
    };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { ...init.headers, "Content-Type": "application/json" };
    }
    let answer;
    try {
      answer = await fetch(this.origin + path, init);
    } catch {
      throw new Problem({ code: signal?.aborted ? "cancelled" : patience.aborted ? "no_answer" : "offline" });
    }
    if (!answer.ok) throw await readProblem(answer);
    return answer.status === 204 ? null : answer.json();
  }
}

/**
 * @param {Session} session
 * @param {Need} need
 */
function meets({ state, acr, auth_time }, need) {
  const enough = !need.acr || acr === "aal2" || acr === need.acr;
  const young = !need.maxAge || Date.now() - Date.parse(auth_time ?? "") <= need.maxAge * 1000;
  return state === "authenticated" && enough && young;
}

/** @param {string} [stepUp] */
function about(stepUp) {
  return stepUp ? { step_up: stepUp } : {};
}

/** @param {Response} answer */
async function readProblem(answer) {
  let from = {};
  try {
    from = await answer.json();
  } catch {
    // A proxy in between answered with a page of its own; the status still tells what to say.
  }
  const wait = Number(answer.headers.get("Retry-After"));
  return new Problem({ code: "unknown", status: answer.status, ...(wait > 0 ? { retry_after: wait } : {}), ...from });
}

/**
 * AbortSignal.any, where the browser lacks it.
 * @param {...AbortSignal} signals
 */
function anyOf(...signals) {
  if (AbortSignal.any) return AbortSignal.any(signals);
  const either = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) either.abort(signal.reason);
    signal.addEventListener("abort", () => either.abort(signal.reason), { once: true });
  }
  return either.signal;
}
