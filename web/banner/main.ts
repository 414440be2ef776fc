/** The banner, put together. A visitor who answered before runs the first lines only: read the cookie, release what may run. */

// In the order in which the file is shortest: it is compressed as it stands.
import { stand, type Stand } from "./resting.ts";
import { all, answer, answered, asked, GPC, granted, named, news, noted, settle, type Answer, type Choices, type Known } from "./choices.ts";
import { cookie, queue, random } from "./storage.ts";
import { release, task } from "./release.ts";
import { sender, type Recorded } from "./api.ts";
import { embed } from "./embeds.ts";
import { speak } from "./modes.ts";
import { view, type View, type Wishes } from "./view.ts";
import type { Configuration } from "./configuration.ts";
import type hand from "./hand-over.ts";

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
  /** As it was read last: at each reading the browser may have to ask another process. */
  let known: Known | null = null;
  const read = () => (known = jar.read());
  const here = "!" + location.host;
  /** Whether something waits here stands in the cookie too: to look into what a site stored would hold up every page on which nothing does. */
  const waiting = queue(configuration, (waits) => {
    if ((waits ? known : read()) && known!.notes.includes(here) !== waits) jar.write((known = noted(known!, here, waits)));
  });
  const tell = <E extends keyof Events>(event: E, detail: Events[E]) => document.dispatchEvent(new CustomEvent("sayso:" + event, { detail }));
  const flush = sender(configuration, base, waiting, (recorded) => tell("recorded", recorded));
  const gpc = !!(configuration.gpc || navigator.globalPrivacyControl);
  const has = (purpose: string) => granted(configuration, known, purpose, gpc);
  // A purpose that is a fact, not a question, may be served.
  const may = (purpose: string) => has(purpose) || named(configuration, purpose)?.ask === false;
  let shown: View | undefined;

  /** Bring the page in line with the choice. */
  const apply = (): void => {
    embed(configuration, { may: has, grant: (name) => settled({ [name]: "granted" }, true), choose: () => ui().choose(), gpc });
    void release(has);
  };
  const settled = (choices: Choices, specific?: boolean, layer = "embed", steps_shown = 1): void => {
    const before = asked(configuration).filter(has), first = !answered(configuration, known);
    const made = settle(configuration, known, choices, random, gpc, specific);
    const { submission } = made;
    jar.write((known = made.known));
    const done = answered(configuration, known);
    if (done) shown?.leave();
    soon(() => {
      waiting.add(submission.choices ? { ...submission, interface: layer, steps_shown } : submission);
      void flush();
      // What was said of one part of the page alone leaves the question standing.
      if (done) ui().confirm(choicesNow(), before.some((name) => !has(name)));
      else if (!first) ui().ask(news(configuration, known));
      changed();
    });
  };
  let due: (() => void) | undefined;
  const hurry = (): void => due?.();
  /** The rest of an answer, once the frame is drawn that shows it was heard; at once if the page is left. The choice itself stands before. */
  const soon = (act: () => void): void => {
    hurry();
    due = () => {
      due = undefined;
      act();
    };
    void task().then(hurry);
  };
  let seen = "";
  const choicesNow = (): Choices => known?.choices ?? {};
  const said = () => JSON.stringify(choicesNow());
  const changed = (): void => {
    seen = said();
    tell("change", choicesNow());
    speak(configuration, "update", may);
    apply();
  };
  const decide: Wishes["decide"] = (yes, specific, layer, steps) => settled(all(configuration, yes), specific, layer, steps);
  let stood: Stand | undefined;
  const standing = (): Stand => (stood ??= stand(configuration, () => ui().choose()));
  const ui = (): View => (shown ??= view(configuration, { has, decide, gpc }, standing()));
  /** A device that is known says the signal once; from then on the server holds it. */
  const signal = (): void => {
    if (!gpc || !known?.device || known.notes.includes(GPC)) return;
    jar.write((known = noted(known, GPC, true)));
    waiting.add({ token: configuration.token, device: known.device, gpc: true });
    if (answered(configuration, known)) ui().say([configuration.strings.gpc]);
  };
  const show = (): void => {
    if (answered(configuration, known)) standing().rest();
    else ui().ask(news(configuration, known));
  };

  const whenIdle = (act: () => void) => (window.requestIdleCallback ?? setTimeout)(act);
  const parsed = (act: () => void) => (document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", act) : act());
  // Sites that hand choices over to each other load the rest of that; the code that came with the visitor goes from the address at once.
  const { hand_over } = configuration, { hash, href } = location;
  const code = hand_over && hash.startsWith("#sayso=") && hash;
  if (code) history.replaceState(history.state, "", href.slice(0, -hash.length));

  // Answered in another tab, or back from the cache of visited pages.
  const look = (): void => {
    hurry();
    begin(read());
    if (said() === seen) return;
    if (answered(configuration, known)) shown?.rest();
    changed();
  };
  // Who was left while the cookie was read is answered, on coming back, as things stood before: so these come before the reading.
  addEventListener("pageshow", (event) => event.persisted && look());
  addEventListener("pagehide", hurry);
  // Who leaves looks at nothing, and to read would hold up where they go.
  addEventListener("visibilitychange", () => (document.hidden ? hurry() : look()));

  let begun: unknown;
  const begin = (found: Known | null): void => {
    if (begun) return;
    begun = 1;
    known = found;
    const handed = hand_over && (import(base + hand_over) as Promise<{ default: typeof hand }>)
      .then((file) => file.default(configuration, base, code || "", { read, write: (made) => jar.write((known = made)), changed, settled })).catch(() => {});
    if (answered(configuration, known)) {
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
      let due = 0;
      new MutationObserver(() => {
        due ||= setTimeout(() => {
          due = 0;
          apply();
        });
      }).observe(document, { childList: true, subtree: true });
      if (known?.notes.includes(here)) whenIdle(flush);
      tell("ready", choicesNow());
    });

    addEventListener("online", flush);
    // Another window may be another sub-domain of the same cookie, which nothing else tells of.
    addEventListener("focus", look);
    // Every answer passes through the queue, which tells the other windows, and those too that nobody sees. To listen makes the browser fetch all
    // that the site stored: not before somebody can be in another window.
    const listen = (): void => addEventListener("storage", look);
    addEventListener("blur", listen);
    // What was said there before this window listened, nothing tells of.
    if (!document.hasFocus()) whenIdle(() => (listen(), look()));
  };
  /** Now: for a page that asks before the first reading is done, and for tags of others that must hear of it before they run. */
  const now = (): unknown => begun || begin(read());
  if (configuration.modes) now();
  else jar.first().then(begin, now);
  const heard = (purpose: string) => (now(), has(purpose));

  return {
    get: () => Object.fromEntries(asked(configuration).map((name) => [name, heard(name) ? "granted" : answer(configuration, known, name) ? "refused" : "unasked"])),
    has: heard,
    open: () => (now(), ui().choose()),
    on(event, listener) {
      const happened = (told: Event) => listener((told as CustomEvent).detail);
      const until = new AbortController();
      document.addEventListener("sayso:" + event, happened, until);
      return () => until.abort();
    },
  };
}

declare global {
  interface Window {
    sayso?: Sayso;
  }
}

// Two tags on one page are one banner.
window.sayso ??= start(__SAYSO_CONFIGURATION__, /[^?#]*\//.exec((document.currentScript as HTMLScriptElement).src)![0]);
