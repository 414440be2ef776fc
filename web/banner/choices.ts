/** The choice machine: pure, no browser. What was answered, what is still to ask, and what an answer makes of both. */

import type { Configuration } from "./configuration.ts";

export type Answer = "granted" | "refused";
export type Choices = Record<string, Answer>;

/** What the cookie holds: the choice, the notice it answers, and the device if it is known to the server. */
export interface Known {
  notice: string;
  version: number;
  device: string;
  choices: Choices;
}

/** The body of `POST /v1/sites/{site}/choices`. */
export interface Submission {
  token: string;
  device: string;
  notice: string;
  notice_version: number;
  locale: string;
  choices: Choices;
  method: "banner";
}

/** `<notice>:<version>|<device>|+granted|-refused…`; anything else reads as nothing known. */
export function parse(text: string): Known | null {
  const [head = "", device = "", ...marks] = text.split("|");
  const found = /^(.+):(\d{1,9})$/.exec(head);
  if (!found) return null;
  const choices: Choices = {};
  for (const mark of marks) if (mark[1]) choices[mark.slice(1)] = mark[0] === "+" ? "granted" : "refused";
  return { notice: found[1]!, version: +found[2]!, device, choices };
}

export function print(known: Known): string {
  const marks = Object.entries(known.choices).map(([name, answer]) => (answer === "granted" ? "+" : "-") + name);
  return [known.notice + ":" + known.version, known.device, ...marks].join("|");
}

/** The names that the notice asks about. */
export const asked = (configuration: Configuration): string[] =>
  configuration.purposes.filter((purpose) => purpose.ask !== false).map((purpose) => purpose.name);

/** Whether the visitor answered this very notice, every purpose of it. */
export const answered = (configuration: Configuration, known: Known | null): boolean =>
  !!known &&
  known.notice === configuration.notice &&
  known.version === configuration.version &&
  asked(configuration).every((name) => name in known.choices);

/** A yes counts for the notice it was given to and no other; a purpose without an answer is not granted. */
export const granted = (configuration: Configuration, known: Known | null, name: string): boolean =>
  answered(configuration, known) && known!.choices[name] === "granted";

/** One answer for every purpose that is asked. */
export const all = (configuration: Configuration, yes: (name: string) => boolean): Choices =>
  Object.fromEntries(asked(configuration).map((name) => [name, yes(name) ? "granted" : "refused"]));

/**
 * What an answer makes of what was known: the cookie to keep and the submission to send.
 *
 * A refusal of everything by a device that nobody knows leaves no device behind (the server forgets it too): the fresh identifier is
 * sent, because every submission has one, and then dropped.
 */
export function settle(
  configuration: Configuration, known: Known | null, choices: Choices, fresh: () => string,
): { known: Known; submission: Submission } {
  const device = known?.device || fresh();
  const kept = known?.device || Object.values(choices).includes("granted") ? device : "";
  const { notice, version, token, locale } = configuration;
  return {
    known: { notice, version, device: kept, choices },
    submission: { token, device, notice, notice_version: version, locale, choices, method: "banner" },
  };
}
