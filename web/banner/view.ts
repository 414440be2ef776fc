/** The interface: a region that asks, a dialog that chooses, a sentence that confirms. */

import { asked, type Choices } from "./choices.ts";
import type { Configuration, Purpose } from "./configuration.ts";
import { button, dress, h, spoken, type Child } from "./elements.ts";
import type { Stand } from "./resting.ts";

export interface View {
  /** Put the question on the page, once; who answered an earlier version is told what is new and what changed. */
  ask(news: { added: string[]; changed: string[] }): void;
  /** Open the choices. */
  choose(): void;
  /** Take the question away; the keyboard is back where it was. */
  leave(): void;
  /** Say what was saved. */
  confirm(choices: Choices, running: boolean): void;
  /** Say something in passing. */
  say(words: string[]): void;
  /** Take the question away without a word: it was answered elsewhere. */
  rest(): void;
}

export interface Wishes {
  /** Whether this purpose is granted now. */
  has(name: string): boolean;
  /** `specific`: each purpose was chosen by itself. */
  decide(yes: (name: string) => boolean, specific: boolean, layer: "banner" | "choices", steps: number): void;
  /** Whether the browser sends an opt-out signal. */
  gpc: boolean;
}

export function view(configuration: Configuration, wishes: Wishes, { root, open, place, rest: stay }: Stand): View {
  const { strings, title, lead, text, purposes, notice_url, preferences_url, locale, lang, own } = configuration;
  const said = h("div", { role: "status" });
  dress(root);
  root.prepend(said);

  let card: HTMLElement | undefined;
  let came: HTMLElement | null = null;
  let timer = 0;

  // The notice may be in another language than what stands around it.
  const foreign = spoken(lang && locale);
  const gpc = () => wishes.gpc && h("p", { class: "gpc" }, strings.gpc);
  const link = (to: string | undefined, name: string): Child => to && h("a", { href: to }, name);
  const links = (): Child =>
    (notice_url || preferences_url) && h("p", { class: "links" }, link(notice_url, strings.notice), link(preferences_url, strings.page));
  // A formatter reads the language's data from the disk: none is made for a list that is empty, or that the server wrote.
  const titles = (names: (name: string) => boolean): string => {
    const found = purposes.filter(({ name }) => names(name)).map(({ title }) => title);
    return found.length === asked(configuration).length ? strings.all : found[1] ? new Intl.ListFormat(lang ?? locale).format(found) : found.join("");
  };
  const sentence = (pattern: string, names: string) => names && pattern.replace("{purposes}", () => names);
  const allOf = (yes: boolean) => () => wishes.decide(() => yes, false, "banner", 1);

  // What the keyboard reaches must not lie under the banner (WCAG 2.4.11), at the page's end neither.
  const room = (): void => {
    const { style } = document.documentElement;
    style.paddingBlockEnd = style.scrollPaddingBlockEnd = card ? card.offsetHeight + 24 + "px" : "";
  };
  const leave = (): void => {
    card?.remove();
    card = undefined;
    room();
    if (document.activeElement === document.body && came?.isConnected) came.focus();
    came = null;
  };
  const rest = (): void => {
    leave();
    stay();
  };

  const ask = (news: { added: string[]; changed: string[] }): void => {
    if (card) return;
    open.hidden = true;
    const fresh = [sentence(strings.added, titles((name) => news.added.includes(name))), sentence(strings.changed, titles((name) => news.changed.includes(name)))];
    const told = fresh.join(" ").trim();
    card = h("section", { class: "card", "aria-labelledby": "t" },
      h("div", { class: "text" }, h("h2", { id: "t", ...(own && foreign) }, title), told && h("p", { class: "gpc" }, told), lead && h("p", foreign, lead), h("p", foreign, text),
        strings.all && h("p", { class: "soft" }, sentence(strings.asks, strings.all)), gpc(), links()),
      h("div", { class: "row" }, button(strings.refuse, "fill", allOf(false)), button(strings.accept, "fill", allOf(true)),
        button(strings.choose, "", () => choose())));
    card.addEventListener("focusin", (event) => (came = (event.relatedTarget as HTMLElement | null) ?? came));
    root.insertBefore(card, open);
    place();
    new ResizeObserver(room).observe(card);
  };

  const choose = (): void => {
    const row = ({ name, title, text, facts, who, ask, lang }: Purpose, index: number) => {
      const box = h("input", { type: "checkbox", id: "p" + index, "aria-describedby": "d" + index, name });
      box.checked = wishes.has(name);
      return h("li", {},
        ask === false ? h("p", spoken(lang), h("b", {}, title)) : h("label", { for: box.id, ...spoken(lang) }, title),
        ask === false ? h("em", {}, strings.always) : box,
        h("div", { id: "d" + index, class: "soft" }, text && h("p", spoken(lang), text), facts && h("small", {}, facts), who && h("small", {}, who)));
    };
    const close = () => dialog.close();
    const end = (yes: (name: string) => boolean, specific?: boolean) => () => {
      close();
      wishes.decide(yes, !!specific, "choices", card ? 2 : 1);
    };
    const ticked = (name: string): boolean => form.querySelector<HTMLInputElement>(`input[name="${CSS.escape(name)}"]`)!.checked;
    const form: HTMLFormElement = h("form", { method: "dialog" },
      h("div", { class: "head" }, h("h2", { id: "c", tabindex: "-1", autofocus: "" }, strings.layer), button(strings.close, "", close), h("p", { class: "soft", ...foreign }, text), gpc(), links()),
      h("ul", { tabindex: "0", "aria-labelledby": "c" }, ...purposes.map(row)),
      h("div", { class: "foot" }, button(strings.refuse, "", end(() => false)), button(strings.accept, "", end(() => true)), button(strings.save, "fill", end(ticked, true))));
    form.onsubmit = end(ticked, true);
    const dialog = h("dialog", { "aria-labelledby": "c", closedby: "any" }, form);
    dialog.onclose = () => dialog.remove();
    root.append(dialog);
    place();
    dialog.showModal();
  };

  const hush = (): void => {
    if (said.matches(":hover, :focus-within")) timer = setTimeout(hush, 8000);
    else quiet();
  };
  const quiet = (): void => {
    said.className = "";
    said.replaceChildren();
    stay();
  };

  const say = (words: (string | false)[]): void => {
    leave();
    open.hidden = true;
    place();
    said.className = "said";
    said.replaceChildren(h("p", {}, words.filter((part) => part).join(" ")), button(strings.close, "", quiet));
    clearTimeout(timer);
    timer = setTimeout(hush, 8000);
  };

  const confirm = (choices: Choices, running: boolean): void => {
    const list = (answer: string) => titles((name) => choices[name] === answer);
    say([strings.saved, wishes.gpc && strings.gpc, sentence(strings.yes, list("granted")), sentence(strings.no, list("refused")), running && strings.running]);
  };

  return { ask, choose, leave, confirm, say, rest };
}

declare global {
  interface Navigator {
    globalPrivacyControl?: boolean;
  }
}
