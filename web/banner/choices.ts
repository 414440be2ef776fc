/** The choice machine: pure, no browser. What was answered, what is still to ask, and what an answer makes of both. */

import type { Configuration, Purpose } from "./configuration.ts";

export type Answer = "granted" | "refused";
export type Choices = Record<string, Answer>;

/** What the cookie holds: the choice, the notice it answers, and the device if it is known to the server. */
export interface Known {
  notice: string;
  version: number;
  device: string;
  choices: Choices;
  /** Purposes granted one by one, after it was shown that the browser's signal says no to them. */
  over: string[];
  /** Besides: `~gpc`, the browser's signal was sent for this device; `!host`, something said on this host of the site still waits to be sent. */
  notes: string[];
}

/** The body of `POST /v1/sites/{site}/choices`; without choices, of `…/signals`. */
export interface Submission {
  token: string;
  device: string;
  notice?: string;
  notice_version?: number;
  locale?: string;
  choices?: Choices;
  method?: "banner";
  gpc?: true;
  conflict_shown?: true;
  /** What was shown (`banner`, `choices`, `embed`; `hand_over`: a no that came along), in how many steps. The server knows the wording by the token. */
  interface?: string;
  steps_shown?: number;
}

/** `<notice>:<version>|<device>|+granted|*granted after the conflict was shown|-refused|~gpc|!host where an answer waits`; anything else is nothing known. */
export function parse(text: string): Known | null {
  const [head, device = "", ...marks] = text.split("|");
  const found = /^(.+):(\d{1,9}(\.\d{1,9})?)$/.exec(head!);
  if (!found) return null;
  const known: Known = { notice: found[1]!, version: +found[2]!, device, choices: {}, over: [], notes: [] };
  for (const mark of marks) {
    const name = mark.slice(1);
    if (/[~!]/.test(mark[0]!)) known.notes.push(mark);
    else if (name) known.choices[name] = "+*".includes(mark[0]!) ? "granted" : "refused";
    if (mark[0] === "*" && name) known.over.push(name);
  }
  return known;
}

export function print({ notice, version, device, choices, over, notes }: Known): string {
  const marks = Object.entries(choices).map(([name, answer]) => (answer !== "granted" ? "-" : over.includes(name) ? "*" : "+") + name);
  return [notice + ":" + version, device, ...marks, ...notes].join("|");
}

export const GPC = "~gpc";

/** The same with this note, or without it. */
export const noted = (known: Known, note: string, is: unknown): Known => ({
  ...known, notes: [...known.notes.filter((one) => one !== note), ...(is ? [note] : [])],
});

export const named = ({ purposes }: Configuration, name: string): Purpose | undefined => purposes.find((one) => one.name === name);

/** The names that the notice asks about. */
export const asked = (configuration: Configuration): string[] =>
  configuration.purposes.filter((purpose) => purpose.ask !== false).map((purpose) => purpose.name);

/** The answer to one purpose that still counts: to this notice, in a version since which what is asked has not changed. */
export function answer(configuration: Configuration, known: Known | null, name: string): Answer | undefined {
  const purpose = named(configuration, name);
  return known && purpose && purpose.ask !== false && known.notice === configuration.notice && known.version <= configuration.version &&
    known.version >= (purpose.since ?? configuration.version) && Object.hasOwn(known.choices, name)
    ? known.choices[name]
    : undefined;
}

/** Whether nothing is left to ask. */
export const answered = (configuration: Configuration, known: Known | null): boolean =>
  known?.notice === configuration.notice && asked(configuration).every((name) => answer(configuration, known, name));

/** Who answered an earlier version is told what is new in this one, and what changed. */
export function news(configuration: Configuration, known: Known | null): { added: string[]; changed: string[] } {
  const before = known?.notice === configuration.notice && known.version < configuration.version ? known : null;
  const open = before ? asked(configuration).filter((name) => !answer(configuration, before, name)) : [];
  const told = (name: string) => Object.hasOwn(before!.choices, name);
  return { added: open.filter((name) => !told(name)), changed: open.filter(told) };
}

/** Whether the browser's signal says no to this purpose. */
export const touched = (configuration: Configuration, name: string): boolean =>
  !!named(configuration, name)?.gpc;

/**
 * A yes counts for the notice it was given to and while it asks the same; a purpose without an answer is not granted. Under the browser's signal
 * (`gpc`) a yes to what it reaches counts only when it was given knowing that.
 */
export const granted = (configuration: Configuration, known: Known | null, name: string, gpc = false): boolean =>
  answer(configuration, known, name) === "granted" && !(gpc && touched(configuration, name) && !known!.over.includes(name));

/** One answer for every purpose that is asked. */
export const all = (configuration: Configuration, yes: (name: string) => boolean): Choices =>
  Object.fromEntries(asked(configuration).map((name) => [name, yes(name) ? "granted" : "refused"]));

/**
 * What an answer makes of what was known: the cookie to keep and the submission to send.
 *
 * A refusal of everything by a device that nobody knows leaves no device behind (the server forgets it too): the fresh identifier is
 * sent, because every submission has one, and then dropped. Under the browser's signal, what it reaches is granted only `specific`ally:
 * "accept all" leaves it out of the submission, and the cookie keeps it as a no. `choices` may be of some purposes only: what was
 * said of the others, and still counts, stays.
 */
export function settle(
  configuration: Configuration, known: Known | null, choices: Choices, fresh: () => string, gpc = false, specific = false,
): { known: Known; submission: Submission } {
  const kept: Choices = {}, sent: Choices = { ...choices };
  for (const name of asked(configuration)) {
    const said = choices[name] ?? answer(configuration, known, name);
    if (said) kept[name] = said;
  }
  const yes = (name: string) => kept[name] === "granted";
  const reached = Object.keys(choices).filter((name) => gpc && touched(configuration, name) && yes(name));
  if (!specific)
    for (const name of reached) {
      kept[name] = "refused";
      delete sent[name];
    }
  const device = known?.device || fresh();
  const stays = known?.device || Object.values(kept).includes("granted") ? device : "";
  const { notice, version, token, locale } = configuration;
  const over = [...new Set([...(known?.over ?? []), ...reached])].filter(yes);
  const signal: Submission = { token, device, ...(gpc && { gpc, conflict_shown: true }) };
  return {
    known: noted({ notice, version, device: stays, choices: kept, over, notes: known?.notes ?? [] }, GPC, gpc && stays),
    submission: Object.keys(sent).length
      ? { ...signal, notice, notice_version: version | 0, locale, choices: sent, method: "banner" }
      : { token, device, gpc: true },
  };
}
