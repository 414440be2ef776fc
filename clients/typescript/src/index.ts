/** `@sayso/sdk`: record what people say, ask before data is used, open a token. Fetch and nothing else: Node, Deno, Bun, edge. */

import type {
  Evaluation, EvaluationAnswer, EvaluationsAnswer, IdentifierBody, Problem, RecordConsent, Recorded, Resolved, Reveal, RevealResults,
  Several, SubjectState, WithdrawConsent,
} from "./types.js";

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
export class SaysoError extends Error {
  override name = "SaysoError";
  constructor(readonly slug: string, readonly status: number, message: string, readonly problem?: Problem, options?: ErrorOptions) {
    super(message, options);
  }
}

/** No answer is a no. */
const DENIED: EvaluationAnswer = {
  decision: false,
  context: { reason: "unreachable", policy_version: "", registry_seq: "", obligations: [], entry: "" },
};

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = () => (clearTimeout(timer), reject(signal.reason));
    const timer = setTimeout(() => (signal.removeEventListener("abort", stop), resolve()), ms);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });

export function sayso({ url, key, timeout = 5000, decideWithin = 1000, retries = 2, fetch: send = fetch }: Settings) {
  const base = url.replace(/\/+$/, "");

  const call = async <T>(path: string, body: unknown, { signal, idempotencyKey }: Call = {}, within = timeout): Promise<T> => {
    const ends = AbortSignal.timeout(within);
    const stop = signal ? AbortSignal.any([signal, ends]) : ends;
    const headers: Record<string, string> = { authorization: `Bearer ${key}`, accept: "application/json" };
    const init: RequestInit = { headers, signal: stop, redirect: "error" };
    if (body !== undefined) {
      headers["content-type"] = "application/json";
      // One key for all tries: what was done, though its answer was lost, is not done again.
      headers["idempotency-key"] = idempotencyKey ?? crypto.randomUUID();
      Object.assign(init, { method: "POST", body: JSON.stringify(body) });
    }
    for (let tried = 0; ; tried++) {
      let wait = 100 * 2 ** tried * (0.5 + Math.random());
      try {
        const answer = await send(base + path, init);
        if (answer.ok) return (await answer.json()) as T;
        const problem = (await answer.json().catch(() => undefined)) as Problem | undefined;
        const slug = String(problem?.type ?? "").split("#")[1] ?? "unknown";
        const again = answer.status === 503 || answer.status === 429 || slug === "idempotency-key-running";
        if (!again || tried >= retries) throw new SaysoError(slug, answer.status, problem?.detail ?? answer.statusText, problem);
        wait = Math.max(wait, 1000 * (Number(answer.headers.get("retry-after")) || 0));
      } catch (error) {
        if (error instanceof SaysoError) throw error;
        // The caller's own abort is the caller's.
        signal?.throwIfAborted();
        if (stop.aborted || tried >= retries) throw new SaysoError("unreachable", 0, "Sayso did not answer.", undefined, { cause: error });
      }
      try {
        await pause(wait, stop);
      } catch (error) {
        signal?.throwIfAborted();
        throw new SaysoError("unreachable", 0, "Sayso did not answer in time.", undefined, { cause: error });
      }
    }
  };

  const orDenied = async <T>(asked: Promise<T>, denied: T): Promise<T> => {
    try {
      return await asked;
    } catch (error) {
      // A question that is wrong, or a key that is, is a mistake to be seen; what is down or late denies.
      if (error instanceof SaysoError && (error.status === 0 || error.status === 429 || error.status >= 500)) return denied;
      throw error;
    }
  };

  const person = (subject: string) => "/v1/subjects/" + encodeURIComponent(subject);

  return {
    /** The person behind an identifier. Throws `no-subject` for one nobody has, unless `create`. */
    resolve: (identifier: IdentifierBody, { create = false, ...how }: Call & { create?: boolean } = {}) =>
      call<Resolved>("/v1/subjects/resolve", { identifier, create }, how),

    /** Record choices on a notice. What may not loosen is in `ignored`. */
    record: (choices: RecordConsent, how?: Call) => call<Recorded>("/v1/consents", choices, how),

    /** Withdraw. Once this returns, every question is denied. */
    withdraw: (subject: string, what: WithdrawConsent = { purposes: "all" }, how?: Call) =>
      call<Recorded>(person(subject) + "/withdrawals", what, how),

    /** Where the person stands; `as_of` and `known_at` are RFC 3339. */
    state: (subject: string, { as_of, known_at, ...how }: Call & { as_of?: string; known_at?: string } = {}) => {
      const asked = new URLSearchParams({ ...(as_of && { as_of }), ...(known_at && { known_at }) }).toString();
      return call<SubjectState>(person(subject) + "/consents" + (asked && "?" + asked), undefined, how);
    },

    /** May I? No answer in time is a denial, with reason `unreachable`. */
    evaluate: (question: Evaluation, how?: Call): Promise<EvaluationAnswer> =>
      orDenied(call("/access/v1/evaluation", question, how, decideWithin), DENIED),

    /** Several questions at once; answers in their order. */
    evaluations: (questions: Questions, how?: Call): Promise<EvaluationsAnswer> =>
      orDenied(call("/access/v1/evaluations", questions, how, decideWithin), { evaluations: questions.evaluations.map(() => DENIED) }),

    /** Open tokens. Each result has a `value`, or the `code` `unresolvable`. */
    reveal: (items: Reveal, how?: Call) => call<RevealResults>("/v1/vault/reveal", items, how),
  };
}

export type Sayso = ReturnType<typeof sayso>;

/** `window.sayso`: what the banner offers to the page it stands on. */
export interface Banner {
  get(): Record<string, "granted" | "refused" | "unasked">;
  has(purpose: string): boolean;
  open(): void;
  on(event: "ready" | "change", listener: (choices: Record<string, "granted" | "refused">) => void): () => void;
}
