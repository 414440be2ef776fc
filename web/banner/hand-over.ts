/**
 * Handing a choice over between sites of one brand, loaded only where the manifest says so. It goes as a code that the server made: for
 * one use, for a minute, for one origin. What stands here is never loosened by what comes.
 */

import { answer, asked, GPC, noted, parse, print, type Choices, type Known } from "./choices.ts";
import type { Configuration } from "./configuration.ts";

/** What the banner lends: its cookie, and two ways to bring the page in line. */
export interface Lent {
  read(): Known | null;
  write(known: Known): void;
  changed(): void;
  settled(choices: Choices, specific: boolean, layer: string): void;
}

/** Milliseconds that a visitor waits for a code at most; then the link is followed without. */
const PATIENCE = 1500;

export default async function (configuration: Configuration, base: string, came: string, lent: Lent): Promise<void> {
  const signal = () => AbortSignal.timeout(PATIENCE);
  const post = (path: string, body: Record<string, string>): Promise<Response> =>
    fetch(base + path, {
      method: "POST",
      credentials: "omit",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: configuration.token, ...body }),
      signal: signal(),
    });
  const ask = async (path: string, body: Record<string, string>): Promise<Record<string, string>> => {
    let found = await post(path, body);
    if (found.status === 403) {
      const fresh = await fetch(base + "banner.json?locale=" + configuration.locale, { credentials: "omit", cache: "no-store", signal: signal() });
      configuration.token = ((await fresh.json()) as Configuration).token;
      found = await post(path, body);
    }
    return found.ok ? ((await found.json()) as Record<string, string>) : {};
  };

  let leaving = false;
  document.addEventListener("click", (event) => {
    const link = event.composedPath().find((one): one is HTMLAnchorElement => one instanceof HTMLAnchorElement);
    const known = lent.read();
    if (!link || !configuration.hands_to?.includes(link.origin) || known?.notice !== configuration.notice) return;
    const elsewhere = event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (event.defaultPrevented || elsewhere || (link.target && link.target !== "_self") || link.download || link.relList.contains("noreferrer")) return;
    event.preventDefault();
    if (leaving) return;
    leaving = true;
    const url = new URL(link.href);
    void ask("hand-overs", { to: link.origin, choice: print({ ...known, notes: known.notes.filter((note) => note === GPC) }) })
      .then(({ code }) => {
        if (code) url.hash = "sayso=" + code + (url.hash && "&" + url.hash.slice(1));
      })
      .catch(() => {})
      .finally(() => {
        leaving = false;
        location.assign(url);
      });
  });

  const [, code, place] = /^#sayso=([\w-]+)&?(.*)/.exec(came) ?? [];
  if (!code) return;
  // The place that the link named was hidden behind the code.
  if (place) location.replace("#" + place);
  if (!configuration.takes_from?.includes(URL.parse(document.referrer)?.origin ?? "")) return;
  const { choice } = await ask("hand-overs/redemptions", { code });
  const theirs = parse(choice ?? "");
  if (theirs) take(configuration, theirs, lent);
}

/** A no that comes always counts; a yes only where nothing stands, and only for the browser that nobody knows by another name. */
function take(configuration: Configuration, theirs: Known, { read, write, changed, settled }: Lent): void {
  const mine = read();
  const choices: Choices = {}, refused: Choices = {};
  for (const name of asked(configuration)) {
    const own = answer(configuration, mine, name), come = answer(configuration, theirs, name);
    const said = come === "refused" ? come : (own ?? come);
    if (said) choices[name] = said;
    if (come === "refused" && own !== come) refused[name] = come;
  }
  if (mine?.device && mine.device !== theirs.device) {
    if (Object.keys(refused).length) settled(refused, false, "hand_over");
    return;
  }
  const yes = (name: string) => choices[name] === "granted";
  const device = mine?.device || (Object.keys(choices).some(yes) ? theirs.device : "");
  const over = [...new Set([...(mine?.over ?? []), ...theirs.over])].filter(yes);
  const told = device && (mine?.device ? mine : theirs).notes.includes(GPC);
  write(noted({ notice: configuration.notice, version: configuration.version, device, choices, over, notes: mine?.notes ?? [] }, GPC, told));
  changed();
}
