/** The proof card: fetch the bundle, verify it here, and show the path of hashes as it holds. Texts stand in the card. */

import { Refused, verify, type Bundle, type Jwk } from "./verify.ts";

const SHORT = 8;

export function proofs(): void {
  for (const card of document.querySelectorAll<HTMLElement>("[data-proof]")) {
    const button = card.querySelector("button");
    if (!button) continue;
    button.hidden = false;
    button.onclick = () => void check(card, button);
  }
}

async function check(card: HTMLElement, button: HTMLButtonElement): Promise<void> {
  const status = card.querySelector("output")!;
  const say = (name: string, values: Record<string, string> = {}) => {
    let text = status.getAttribute("data-" + name) ?? "";
    for (const value in values) text = text.replace(`{${value}}`, values[value]!);
    status.textContent = text;
    card.dataset["state"] = name;
  };
  button.disabled = true;
  say("working");
  try {
    const bundle = await json<Bundle>(card.dataset["proof"]!);
    if (bundle.pending) return say("pending");
    const keys = bundle.receipt ? (await json<{ keys: Jwk[] }>("/.well-known/jwks.json")).keys : [];
    const done = await verify(bundle, keys, card.dataset["entry"]!);
    draw(card, [done.leafHash, ...done.path]);
    const number = new Intl.NumberFormat(document.documentElement.lang, { numberingSystem: "latn" });
    say("verified", { index: number.format(done.index), size: number.format(done.size) });
  } catch (error) {
    say(error instanceof Refused ? error.reason : "network");
  } finally {
    button.disabled = card.dataset["state"] === "verified";
  }
}

async function json<T>(address: string): Promise<T> {
  const answer = await fetch(address, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as T;
}

/** One mark per hash, filled one after the other; the short hash is its title for those who compare. */
function draw(card: HTMLElement, hashes: string[]): void {
  const list = card.querySelector("ol")!;
  list.replaceChildren(
    ...hashes.map((hash, at) => {
      const mark = document.createElement("li");
      mark.title = hash.slice(0, SHORT);
      mark.style.setProperty("--at", String(at));
      return mark;
    }),
  );
  list.hidden = false;
}
