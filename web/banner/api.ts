/** Sending: the page never waits, a failure is kept and sent later, the same submission is never counted twice. */

import type { Submission } from "./choices.ts";
import type { Configuration } from "./configuration.ts";
import type { queue } from "./storage.ts";

/** What the server answered to a submission. */
export interface Recorded {
  record: string;
  receipt: string;
  entry: string;
}

export function sender(configuration: Configuration, base: string, waiting: ReturnType<typeof queue>, told: (recorded: Recorded) => void) {
  const post = (key: string, body: Submission): Promise<Response> =>
    fetch(base + (body.choices ? "choices" : "signals"), {
      method: "POST",
      keepalive: true,
      credentials: "omit",
      headers: { "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify(body),
    });

  /** A token that ended, or a notice that changed: ask for the configuration of now. Null when the notice is another one. */
  const renewed = async (body: Submission): Promise<Submission | null> => {
    const answer = await fetch(base + "banner.json?locale=" + configuration.locale, { credentials: "omit", cache: "no-store" });
    const fresh = (await answer.json()) as Configuration;
    configuration.token = fresh.token;
    return !body.choices || (fresh.notice === body.notice && (fresh.version | 0) === body.notice_version) ? { ...body, token: fresh.token } : null;
  };

  const deliver = async (key: string, first: Submission): Promise<void> => {
    let answer = await post(key, first);
    if (/40[139]/.test(answer.status + "")) {
      const second = await renewed(first);
      // Another body needs another key; the refused one recorded nothing.
      if (second) answer = await post(key + "2", second);
    }
    if (/5..|408|42[59]/.test(answer.status + "")) return;
    waiting.drop(key);
    if (answer.ok) told((await answer.json()) as Recorded);
  };

  let running: Promise<void> | null = null;
  /** Send what waits, in order; a failure leaves it and what follows it for the next time. */
  // `finally` of the promise, not of the function: with nothing to send, that one ends before there is a promise to forget.
  return (): Promise<void> =>
    (running ??= (async () => {
      try {
        for (const { key, body } of waiting.read()) await deliver(key, body);
      } catch {
        // offline: the queue keeps it
      }
    })().finally(() => (running = null)));
}
