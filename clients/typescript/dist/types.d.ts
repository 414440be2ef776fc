/** What is to be done. */
export interface Action {
    name: string;
    properties?: Record<string, unknown>;
}
export interface AnswerContext {
    reason?: string;
    policy_version?: string;
    registry_seq?: string;
    obligations?: Obligation[];
    entry?: string;
    nearest?: string;
    retry_after?: string;
    error?: Fault;
}
/** Why values that a second person should have approved are opened without one: it raises an alarm. */
export interface BrokenGlass {
    reason: string;
    ticket?: string;
}
/** Somebody named by an identifier; on first sight a new person. */
export interface ByIdentifier {
    identifier: IdentifierBody;
}
/** A double opt-in that the caller ran and keeps the evidence of: both times, RFC 3339. */
export interface ConfirmedElsewhere {
    requested_at: string;
    confirmed_at: string;
}
export interface DirectiveState {
    kind: string;
    since: string;
    given_at: string;
    source: string;
    honoured: boolean;
    purposes: string[];
    lifted: string[];
    record: string;
}
/** AuthZEN's subject (the caller) or resource. */
export interface Entity {
    type: string;
    id: string;
    properties?: Record<string, unknown>;
}
/** One question, whole. */
export interface Evaluation {
    subject: Entity;
    action: Action;
    resource: Entity;
    context?: RequestContext;
}
export interface EvaluationAnswer {
    decision: boolean;
    context: AnswerContext;
}
export interface EvaluationsAnswer {
    evaluations: EvaluationAnswer[];
}
export interface Fault {
    status: number;
    message: string;
}
export interface IdentifierBody {
    type: string;
    value: string;
}
export interface Obligation {
    id: string;
    type: string;
    properties: Record<string, string | number>;
}
/** How several are evaluated. */
export interface Options {
    evaluations_semantic?: string;
}
/** A problem document (RFC 9457, section 3.1). Further members name facts of the problem, none of them personal. */
export interface Problem {
    type: string;
    title: string;
    status: number;
    detail: string;
    at?: string;
    [fact: string]: unknown;
}
export interface PurposeState {
    status: "granted" | "refused" | "withdrawn" | "expired" | "unasked" | "pending" | "objected" | "stale";
    since: string | null;
    notice: string | null;
    notice_version: number | null;
    expires_at: string | null;
    legal_basis: string;
    record: string | null;
    objected?: boolean;
    directive?: string;
    reask_not_before?: string;
    indicated_by?: string;
}
/**
 * Choices on a notice, as a service reports them. `occurred_at` (RFC 3339) is a claim: it can make a grant lose.
 * `indicated_by` is the recorded guardian who chose for a child. `bundle` (`bnd_` and 32 hex digits, the caller's own)
 * joins the records of one act. `double_opt_in` says that a grant was confirmed already, where else it would wait.
 * `conflict_shown`: before granting, the person was shown that an opt-out of theirs says no, and named each purpose.
 */
export interface RecordConsent {
    subject: string | ByIdentifier;
    notice: string;
    notice_version: number;
    locale: string;
    choices: Record<string, "expired" | "granted" | "objected" | "reconsidered" | "refused" | "requested" | "undone" | "withdrawn">;
    method?: "api" | "banner" | "import" | "paper" | "phone" | "preference_centre" | "staff";
    assurance?: "code" | "device" | "link" | "session" | "staff";
    occurred_at?: string | null;
    evidence?: Record<string, string | number | boolean | string[]>;
    indicated_by?: string | null;
    bundle?: string | null;
    double_opt_in?: ConfirmedElsewhere | null;
    conflict_shown?: boolean;
}
export interface Recorded {
    record: string;
    subject: string | null;
    state: Record<string, PurposeState>;
    receipt: string;
    entry: string;
    ignored?: Record<string, string>;
    directives?: DirectiveState[];
}
/** What Sayso reads of a request's context. */
export interface RequestContext {
    purpose?: string | null;
    channel?: string | null;
    jurisdiction?: string | null;
    relation?: string | null;
    case?: string | null;
    supported_obligations?: string[];
    at_least_seq?: string | null;
}
export interface Resolve {
    identifier: IdentifierBody;
    create?: boolean;
}
export interface Resolved {
    subject: string;
    aid: string;
}
/** Tokens to open. */
export interface Reveal {
    purpose: string;
    reason: string;
    context?: RevealContext;
    grant?: string | null;
    break_glass?: BrokenGlass | null;
    items: RevealItem[];
}
/** What the caller says besides, as in an evaluation. */
export interface RevealContext {
    channel?: string | null;
    jurisdiction?: string | null;
    relation?: string | null;
    case?: string | null;
    supported_obligations?: string[];
    at_least_seq?: string;
}
/** One token. `transform` is a mask of the caller's own wish, or a fact to be told in place of the value. */
export interface RevealItem {
    token: string;
    transform?: string | null;
}
export interface RevealResult {
    entry: string;
    value?: string;
    code?: string;
}
export interface RevealResults {
    results: RevealResult[];
}
/** Several questions; without any it is a single one, made of the defaults. */
export interface Several {
    subject?: Entity;
    action?: Action;
    resource?: Entity;
    context?: RequestContext;
    evaluations?: unknown[];
    options?: Options;
}
export interface SubjectState {
    subject: string;
    as_of: string;
    purposes: Record<string, PurposeState>;
    directives?: DirectiveState[];
}
export interface WithdrawConsent {
    purposes: string[] | "all";
    method?: "banner" | "preference_centre" | "api" | "import" | "staff" | "phone" | "paper";
    assurance?: "device" | "link" | "code" | "session" | "staff";
    occurred_at?: string | null;
    evidence?: Record<string, string | number | boolean | string[]>;
    indicated_by?: string | null;
}
