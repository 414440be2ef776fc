/** `@sayso/sdk`: record what people say, ask before data is used, open a token. Fetch and nothing else: Node, Deno, Bun, edge. */
import type { Evaluation, EvaluationAnswer, EvaluationsAnswer, IdentifierBody, Problem, RecordConsent, Recorded, Resolved, Reveal, RevealResults, Several, SubjectState, WithdrawConsent } from "./types.js";
export type * from "./types.js";
export interface Settings {
    /** Where Sayso is reached: `https://say.example`. */
    url: string;
    /** An API key. It belongs on a server: whoever has it may do what its roles may. */
    key: string;
    /** Milliseconds for a whole call, retries included. */
    timeout?: number;
    /** Milliseconds for a decision; later it is a denial. */
    decideWithin?: number;
    /** How often a call is tried again. */
    retries?: number;
    fetch?: typeof fetch;
}
/** Several questions; what they have in common may stand once, beside them. */
export interface Questions extends Omit<Several, "evaluations"> {
    evaluations: Partial<Evaluation>[];
}
/** Of one call. */
export interface Call {
    signal?: AbortSignal;
    /** The same key for the same act makes it happen once, also across processes. Without one each call has its own. */
    idempotencyKey?: string;
}
/** An answer other than success. `slug` names the problem (docs/problems.md); `unreachable` when nothing answered in time. */
export declare class SaysoError extends Error {
    readonly slug: string;
    readonly status: number;
    readonly problem?: Problem | undefined;
    name: string;
    constructor(slug: string, status: number, message: string, problem?: Problem | undefined, options?: ErrorOptions);
}
export declare function sayso({ url, key, timeout, decideWithin, retries, fetch: send }: Settings): {
    /** The person behind an identifier. Throws `no-subject` for one nobody has, unless `create`. */
    resolve: (identifier: IdentifierBody, { create, ...how }?: Call & {
        create?: boolean;
    }) => Promise<Resolved>;
    /** Record choices on a notice. What may not loosen is in `ignored`. */
    record: (choices: RecordConsent, how?: Call) => Promise<Recorded>;
    /** Withdraw. Once this returns, every question is denied. */
    withdraw: (subject: string, what?: WithdrawConsent, how?: Call) => Promise<Recorded>;
    /** Where the person stands; `as_of` and `known_at` are RFC 3339. */
    state: (subject: string, { as_of, known_at, ...how }?: Call & {
        as_of?: string;
        known_at?: string;
    }) => Promise<SubjectState>;
    /** May I? No answer in time is a denial, with reason `unreachable`. */
    evaluate: (question: Evaluation, how?: Call) => Promise<EvaluationAnswer>;
    /** Several questions at once; answers in their order. */
    evaluations: (questions: Questions, how?: Call) => Promise<EvaluationsAnswer>;
    /** Open tokens. Each result has a `value`, or the `code` `unresolvable`. */
    reveal: (items: Reveal, how?: Call) => Promise<RevealResults>;
};
export type Sayso = ReturnType<typeof sayso>;
/** `window.sayso`: what the banner offers to the page it stands on. */
export interface Banner {
    get(): Record<string, "granted" | "refused" | "unasked">;
    has(purpose: string): boolean;
    open(): void;
    on(event: "ready" | "change", listener: (choices: Record<string, "granted" | "refused">) => void): () => void;
}
