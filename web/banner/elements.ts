/** Making elements. Only properties and text nodes: nothing is ever parsed as HTML. */

import type { Configuration } from "./configuration.ts";
import style from "./style.css";

export type Child = Node | string | undefined | false;

/** One element. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string>, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]!);
  element.append(...children.filter((child): child is Node | string => !!child));
  return element;
}

/** The language of a text that is not the interface's. */
export const spoken = (lang: string | undefined): Record<string, string> => (lang ? { lang, dir: "auto" } : {});

export function button(text: string, look: string, act: () => void): HTMLButtonElement {
  const element = h("button", { type: "button", class: look }, text);
  element.onclick = act;
  return element;
}

let sheet: CSSStyleSheet | undefined;

/** An element of ours for the page, out of reach of its styles. */
export function hosted(name: string, { locale, lang, dir }: Configuration): { host: HTMLElement; root: ShadowRoot } {
  const host = document.createElement(name);
  host.lang = lang ?? locale;
  host.dir = dir;
  const root = host.attachShadow({ mode: "open" });
  if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  return { host, root };
}
