/** The interface: a region that asks, a dialog that chooses, a sentence that confirms, a button that opens all of it again. */

import type { Choices } from "./choices.ts";
import type { Configuration, Purpose } from "./configuration.ts";
import style from "./style.css";

export interface View {
  /** Put the question on the page. */
  ask(): void;
  /** Open the choices. */
  choose(): void;
  /** Take the question away and say what was saved. */
  confirm(choices: Choices, running: boolean): void;
  /** Say something in passing. */
  say(words: string[]): void;
  /** Take the question away without a word: it was answered elsewhere. */
  rest(): void;
  /** Whether the question is on the page. */
  asking(): boolean;
}

export interface Wishes {
  /** Whether this purpose is granted now. */
  has(name: string): boolean;
  /** `specific`: each purpose was chosen by itself. */
  decide(yes: (name: string) => boolean, specific?: boolean): void;
  /** Whether the browser sends an opt-out signal. */
  gpc: boolean;
}

type Child = Node | string | undefined | false;

/** One element. Only properties and text nodes: nothing is ever parsed as HTML. */
function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string>, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]!);
  element.append(...children.filter((child): child is Node | string => !!child));
  return element;
}

function button(text: string, look: string, act: () => void): HTMLButtonElement {
  const element = h("button", { type: "button", class: look }, text);
  element.onclick = act;
  return element;
}

export function view(configuration: Configuration, wishes: Wishes): View {
  const { strings, title, text, purposes, notice_url, preferences_url, locale, dir, reopen } = configuration;
  const host = document.createElement("sayso-say");
  host.lang = locale;
  host.dir = dir;
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  const said = h("div", { role: "status" });
  const open = button(strings.reopen, "open", () => choose());
  root.append(said, open);
  open.hidden = true;
  document.body.prepend(host);

  let card: HTMLElement | undefined;
  let came: EventTarget | null = null;
  let timer = 0;

  const gpc = () => wishes.gpc && h("p", { class: "gpc" }, strings.gpc);
  const link = (to: string | undefined, name: string) => to && h("a", { href: to }, name);
  const allOf = (yes: boolean) => () => wishes.decide(() => yes);

  const rest = (): void => {
    card?.remove();
    card = undefined;
    document.documentElement.style.scrollPaddingBlockEnd = "";
    open.hidden = reopen === false;
  };

  const ask = (): void => {
    open.hidden = true;
    const links = [link(notice_url, strings.notice), link(preferences_url, strings.page)].filter((item) => item);
    card = h("section", { class: "card", "aria-labelledby": "t" },
      h("div", { class: "text" }, h("h2", { id: "t" }, title), h("p", {}, text), strings.asks && h("p", { class: "soft" }, strings.asks), gpc(),
        links.length > 0 && h("p", { class: "links" }, ...links)),
      h("div", { class: "row" }, button(strings.refuse, "fill", allOf(false)), button(strings.accept, "fill", allOf(true)),
        button(strings.choose, "", () => choose())));
    card.addEventListener("focusin", (event) => (came = event.relatedTarget ?? came));
    root.insertBefore(card, open);
    // What the keyboard reaches must not lie under the banner (WCAG 2.4.11).
    new ResizeObserver(() => {
      if (card) document.documentElement.style.scrollPaddingBlockEnd = card.offsetHeight + 24 + "px";
    }).observe(card);
  };

  const choose = (): void => {
    const row = ({ name, title, text, facts, ask }: Purpose, index: number) => {
      const box = h("input", { type: "checkbox", id: "p" + index, "aria-describedby": "d" + index, name });
      box.checked = wishes.has(name);
      return h("li", {},
        ask === false ? h("p", {}, h("b", {}, title)) : h("label", { for: box.id }, title),
        ask === false ? h("em", {}, strings.always) : box,
        (text || facts) && h("p", { id: "d" + index, class: "soft" }, text ?? "", text && facts ? h("br", {}) : "", facts && h("small", {}, facts)));
    };
    const close = () => dialog.close();
    const end = (yes: (name: string) => boolean, specific?: boolean) => () => {
      close();
      wishes.decide(yes, specific);
    };
    const ticked = (name: string): boolean => form.querySelector<HTMLInputElement>(`input[name="${CSS.escape(name)}"]`)!.checked;
    const form: HTMLFormElement = h("form", {},
      h("div", { class: "head" }, h("h2", { id: "c", tabindex: "-1", autofocus: "" }, strings.layer), button(strings.close, "", close), h("p", { class: "soft" }, text), gpc()),
      h("ul", { tabindex: "0", "aria-labelledby": "c" }, ...purposes.map(row)),
      h("div", { class: "foot" }, button(strings.refuse, "", end(() => false)), button(strings.accept, "", end(() => true)), button(strings.save, "fill", end(ticked, true))));
    form.onsubmit = (event) => {
      event.preventDefault();
      end(ticked, true)();
    };
    const dialog = h("dialog", { "aria-labelledby": "c", closedby: "any" }, form);
    dialog.onclose = () => dialog.remove();
    root.append(dialog);
    dialog.showModal();
  };

  const hush = (): void => {
    if (said.matches(":hover, :focus-within")) timer = setTimeout(hush, 4000);
    else quiet();
  };
  const quiet = (): void => {
    said.className = "";
    said.replaceChildren();
    open.hidden = reopen === false;
  };

  const say = (words: (string | false)[]): void => {
    rest();
    open.hidden = true;
    said.className = "said";
    said.replaceChildren(h("p", {}, words.filter((part) => part).join(" ")), button(strings.close, "", quiet));
    clearTimeout(timer);
    timer = setTimeout(hush, 8000);
  };

  const confirm = (choices: Choices, running: boolean): void => {
    const list = (answer: string) =>
      new Intl.ListFormat(locale).format(purposes.filter(({ name }) => choices[name] === answer).map(({ title }) => title));
    const sentence = (pattern: string, names: string) => names && pattern.replace("{purposes}", names);
    say([strings.saved, wishes.gpc && strings.gpc, sentence(strings.yes, list("granted")), sentence(strings.no, list("refused")), running && strings.running]);
    if (came instanceof HTMLElement && came.isConnected) came.focus();
  };

  return { ask, choose, confirm, say, rest, asking: () => !!card };
}

declare global {
  interface Navigator {
    globalPrivacyControl?: boolean;
  }
}
