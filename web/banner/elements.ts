/** Making elements. Only properties and text nodes: nothing is ever parsed as HTML. */

import type { Configuration } from "./configuration.ts";
import resting from "./resting.css";
import style from "./style.css";

export type Child = Node | string | undefined | false;

/** One element. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string>, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]!);
  element.append(...(children.filter((child) => child) as (Node | string)[]));
  return element;
}

/** The language of a text that is not the interface's. */
export const spoken = (lang: string | undefined): Record<string, string> => (lang ? { lang, dir: "auto" } : {});

export function button(text: string, look: string, act: () => void): HTMLButtonElement {
  const element = h("button", { type: "button", class: look }, text);
  element.onclick = act;
  return element;
}

const sheets: Record<string, CSSStyleSheet> = {};

function wear(root: ShadowRoot, text: string): void {
  if (!sheets[text]) (sheets[text] = new CSSStyleSheet()).replaceSync(text);
  root.adoptedStyleSheets.push(sheets[text]);
}

/** An element of ours for the page, out of reach of its styles. It wears what a button needs: most visits see no more, and reading a style costs them. */
export function hosted(name: string, { locale, lang, dir }: Configuration): { host: HTMLElement; root: ShadowRoot } {
  const host = document.createElement(name);
  host.lang = lang ?? locale;
  host.dir = dir;
  const root = host.attachShadow({ mode: "open" });
  wear(root, resting);
  return { host, root };
}

/** Give it the style of everything else. */
export const dress = (root: ShadowRoot): void => wear(root, style);
