/** @param {Options} [options] */
export function sallyport(options?: Options): Sallyport;
export class Sallyport {
    /** @param {Options} [options] */
    constructor(options?: Options);
    origin: string;
    headers: Record<string, string>;
    prove: (asked: StepUp, at: Sallyport) => Promise<void>;
    onProblem: (problem: Problem) => unknown;
    /**
     * Asks the v1 API.
     * @param {string} method
     * @param {string} path
     * @param {object} [body]
     * @param {AbortSignal} [signal]
     * @returns {Promise<any>} the decoded answer, null for 204
     * @throws {Problem}
     */
    request(method: string, path: string, body?: object, signal?: AbortSignal): Promise<any>;
    /**
     * Like request, for everything that may want proof for just what it does: the proof is asked for, then it carries on.
     * @param {string} method
     * @param {string} path
     * @param {object} [body]
     */
    write(method: string, path: string, body?: object): Promise<any>;
    /**
     * Has the person prove what a purpose asks for; nothing where it is fresh enough.
     * @param {string} purpose
     * @param {string} [object] the id of what it is about
     */
    stepUp(purpose: string, object?: string): Promise<void>;
    /**
     * The session of this browser, wherever it stands.
     * @returns {Promise<Session | null>}
     */
    session(): Promise<Session | null>;
    /**
     * The first door. The second one is next unless the state is "authenticated".
     * @param {{identifier: string, password: string, bot_check?: string}} by
     * @returns {Promise<Session>}
     */
    signIn({ identifier, password, bot_check }: {
        identifier: string;
        password: string;
        bot_check?: string;
    }): Promise<Session>;
    /**
     * Both doors at once. With the mediation "conditional" the browser suggests passkeys below a field whose autocomplete
     * says webauthn, and this waits until one is chosen.
     * @param {{mediation?: CredentialMediationRequirement, signal?: AbortSignal}} [how]
     * @returns {Promise<Session>}
     */
    signInWithPasskey({ mediation, signal }?: {
        mediation?: CredentialMediationRequirement;
        signal?: AbortSignal;
    }): Promise<Session>;
    /** Each passes the second door, or gives a proof to the step-up whose id is named. */
    verify: {
        /** @param {string} password @param {string} stepUp @returns {Promise<Session>} */
        password: (password: string, stepUp: string) => Promise<Session>;
        /** @param {string} code @param {string} [stepUp] @returns {Promise<Session>} */
        totp: (code: string, stepUp?: string) => Promise<Session>;
        /** Leads to a session that replaces what was lost. @param {string} code @returns {Promise<Session>} */
        recovery: (code: string) => Promise<Session>;
        /** @param {string} [stepUp] @param {AbortSignal} [signal] @returns {Promise<Session>} */
        passkey: (stepUp?: string, signal?: AbortSignal) => Promise<Session>;
    };
    /** Each adds a factor to the account. */
    enrol: {
        /** @param {string} [name] @param {AbortSignal} [signal] */
        passkey: (name?: string, signal?: AbortSignal) => Promise<any>;
        /** Then the code that the app shows is confirmed. @returns {Promise<{secret: string, uri: string, qr_svg: string}>} */
        totp: () => Promise<{
            secret: string;
            uri: string;
            qr_svg: string;
        }>;
        /** @param {string} code @returns {Promise<Session>} */
        confirmTOTP: (code: string) => Promise<Session>;
    };
    /** A sign-in once more within the session: the password and the best second factor. */
    confirm(): Promise<any>;
    /** Ends the session. */
    signOut(): Promise<any>;
    /**
     * Ends the session by this page's own doing: what notices its end meanwhile is not to be surprised.
     * @template T
     * @param {() => Promise<T>} work
     * @returns {Promise<T>}
     */
    leaving<T>(work: () => Promise<T>): Promise<T>;
    /**
     * Tells once when the session was ended elsewhere (session.revoked), within a second; at once where there is none. After
     * another sign-in in the same page it has to be asked again.
     * @param {() => void} over
     * @returns {() => void} stops listening
     */
    onRevoked(over: () => void): () => void;
    /**
     * Lets a page go on for whoever is signed in as well as it needs, and asks for a fresh sign-in where that is all that
     * is missing. It keeps nobody out of anything: what a page shows is the business of the server that gives it.
     * @param {Need & {otherwise: string | ((session: Session | null) => any)}} need otherwise is an address to go to, or told instead
     * @returns {Promise<Session>}
     */
    guard({ acr, maxAge, otherwise }: Need & {
        otherwise: string | ((session: Session | null) => any);
    }): Promise<Session>;
    #private;
}
export type Session = {
    id: string;
    state: "second_factor_required" | "enrolment_required" | "recovering" | "resetting" | "authenticated";
    level: 1 | 2;
    acr: string;
    amr: string[];
    /**
     * what the person can be asked for, strongest first
     */
    factors: string[];
    /**
     * since when acr has been proven as a whole
     */
    auth_time: string | null;
    expires_at: string;
    user?: {
        id: string;
        email: string;
        email_verified: boolean;
        username: string;
        display_name: string;
    } | undefined;
    groups?: string[] | undefined;
    /**
     * the one that takes the place of the code that was used
     */
    recovery_code?: string | undefined;
};
/**
 * what proofs are wanted
 */
export type StepUp = {
    id: string;
    purpose: string;
    granted: boolean;
    password: boolean;
    factors: string[];
};
export type Options = {
    /**
     * Sallyport's; where this module came from by default
     */
    origin?: string | undefined;
    /**
     * asks for the proofs of a step-up, instead of a plain dialog
     */
    prove?: ((asked: StepUp, at: Sallyport) => Promise<void>) | undefined;
    /**
     * sent with each request beside our own
     */
    headers?: Record<string, string> | undefined;
    /**
     * told of each problem before whoever asked is; they wait for it
     */
    onProblem?: ((problem: Problem) => unknown) | undefined;
};
/**
 * maxAge in seconds
 */
export type Need = {
    acr?: "mfa" | "aal2";
    maxAge?: number;
};
import { passkeysWork } from "./passkey.js";
import { Problem } from "./problem.js";
export { passkeysWork, Problem };
