/** The banner, put together. A visitor who answered before runs the first lines only: read the cookie, release what may run. */

import { sender, type Recorded } from "./api.ts";
import { all, answer, answered, asked, granted, news, settle, type Answer, type Choices } from "./choices.ts";
import type { Configuration } from "./configuration.ts";
import { embed } from "./embeds.ts";
import type hand from "./hand-over.ts";
import { speak } from "./modes.ts";
import { release } from "./release.ts";
import { cookie, queue, random } from "./storage.ts";
import { view, type View, type Wishes } from "./view.ts";

declare const __SAYSO_CONFIGURATION__: Configuration;

interface Events {
  ready: Choices;
  change: Choices;
  recorded: Recorded;
}

/** What a page may ask: the same interface for every site, and events as `sayso:<name>` on the document too. */
export interface Sayso {
  /** How things stand, per purpose of the notice. */
  get(): Record<string, Answer | "unasked">;
  /** Whether the visitor said yes to this purpose. */
  has(purpose: string): boolean;
  /** Open the choices. */
  open(): void;
  /** Listen; the answer stops it. */
  on<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void): () => void;
}

function start(configuration: Configuration, base: string): Sayso {
  const jar = cookie(configuration);
  const waiting = queue(configuration);
  const tell = <E extends keyof Events>(event: E, detail: Events[E]) => document.dispatchEvent(new CustomEvent("sayso:" + event, { detail }));
  const { flush } = sender(configuration, base, waiting, (recorded) => tell("recorded", recorded));
  const gpc = !!(configuration.gpc || navigator.globalPrivacyControl);
  const has = (purpose: string) => granted(configuration, jar.read(), purpose, gpc);
  // A purpose that is a fact, not a question, may be served.
  const may = (purpose: string) => has(purpose) || configuration.purposes.some(({ name, ask }) => name === purpose && ask === false);
  let shown: View | undefined;

  /** Bring the page in line with the choice. */
  const apply = (): void => {
    embed(configuration, { may: has, grant: (name) => settled({ [name]: "granted" }, true), choose: () => ui().choose(), gpc });
    void release(has);
  };
  const settled = (choices: Choices, specific?: boolean, layer = "embed", steps_shown = 1): void => {
    const before = asked(configuration).filter(has), first = !answered(configuration, jar.read());
    const { known, submission } = settle(configuration, jar.read(), choices, random, gpc, specific);
    jar.write(known);
    // What was said of one part of the page alone leaves the question standing.
    if (!answered(configuration, known)) void (first || ui().ask(news(configuration, known)));
    else ui().confirm(known.choices, before.some((name) => !has(name)));
    waiting.add(submission.choices ? { ...submission, interface: layer, steps_shown } : submission);
    void flush();
    changed();
  };
  let seen = "";
  const said = () => JSON.stringify(jar.read()?.choices);
  const changed = (): void => {
    seen = said();
    tell("change", jar.read()?.choices ?? {});
    speak(configuration, "update", may);
    apply();
  };
  const decide: Wishes["decide"] = (yes, specific, layer, steps) => settled(all(configuration, yes), specific, layer, steps);
  const ui = (): View => (shown ??= view(configuration, { has, decide, gpc }));
  /** A device that is known says the signal once; from then on the server holds it. */
  const signal = (): void => {
    const known = jar.read();
    if (!gpc || !known?.device || known.told) return;
    jar.write({ ...known, told: true });
    waiting.add({ token: configuration.token, device: known.device, gpc: true });
    if (answered(configuration, known)) ui().say([configuration.strings.gpc]);
  };
  const show = (): void => {
    if (answered(configuration, jar.read())) ui().rest();
    else if (!shown?.asking()) ui().ask(news(configuration, jar.read()));
  };

  const whenIdle = (act: () => void) => (window.requestIdleCallback ?? setTimeout)(act);
  const parsed = (act: () => void) => (document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", act) : act());
  // Sites that hand choices over to each other load the rest of that; the code that came with the visitor goes from the address at once.
  const { hand_over } = configuration, { hash, href } = location;
  const code = hand_over && hash.startsWith("#sayso=") && hash;
  if (code) history.replaceState(history.state, "", href.slice(0, -hash.length));
  const handed = hand_over && (import(base + hand_over) as Promise<{ default: typeof hand }>)
    .then((file) => file.default(configuration, base, code || "", { ...jar, changed, settled })).catch(() => {});

  if (answered(configuration, jar.read())) {
    if (configuration.reopen !== false) parsed(() => whenIdle(show));
  } else if (code) {
    void (handed as Promise<void>).then(() => parsed(show));
    setTimeout(show, 3000);
  } else if (document.body) show();
  else parsed(show);
  speak(configuration, "default", may);
  parsed(() => {
    signal();
    seen = said();
    apply();
    // What the page adds later waits, or runs, like the rest.
    let due = false;
    new MutationObserver(() => {
      if (!due)
        setTimeout(() => {
          due = false;
          apply();
        });
      due = true;
    }).observe(document, { childList: true, subtree: true });
    whenIdle(() => void flush());
    tell("ready", jar.read()?.choices ?? {});
  });

  addEventListener("online", () => void flush());
  // Answered in another tab, or back from the cache of visited pages. Every answer passes through the queue, which tells the others.
  const look = () => {
    if (said() === seen) return;
    if (answered(configuration, jar.read())) shown?.rest();
    changed();
  };
  document.addEventListener("visibilitychange", look);
  addEventListener("pageshow", look);
  addEventListener("storage", look);

  return {
    get: () => Object.fromEntries(asked(configuration).map((name) => [name, has(name) ? "granted" : answer(configuration, jar.read(), name) ? "refused" : "unasked"])),
    has,
    open: () => ui().choose(),
    on(event, listener) {
      const heard = (happened: Event) => listener((happened as CustomEvent).detail);
      document.addEventListener("sayso:" + event, heard);
      return () => document.removeEventListener("sayso:" + event, heard);
    },
  };
}

declare global {
  interface Window {
    sayso?: Sayso;
  }
}

// Two tags on one page are one banner.
window.sayso ??= start(__SAYSO_CONFIGURATION__, new URL(".", (document.currentScript as HTMLScriptElement).src).href);
