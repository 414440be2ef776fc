/** Parts of other firms: an `<iframe data-purpose data-src>` loads nothing before a yes; a card says so in its place and asks. */

import { named, touched } from "./choices.ts";
import type { Configuration } from "./configuration.ts";
import { button, dress, h, hosted } from "./elements.ts";

export interface Asking {
  may(purpose: string): boolean;
  /** Say yes to this one purpose, and nothing about the others. */
  grant(purpose: string): void;
  /** Open the choices. */
  choose(): void;
  gpc: boolean;
}

const cards = new Map<HTMLIFrameElement, HTMLElement>();

/** Bring every frame of the page in line with the choice: loaded, or a card in its place. */
export function embed(configuration: Configuration, asking: Asking): void {
  for (const [frame, card] of cards)
    if (!frame.isConnected) {
      card.remove();
      cards.delete(frame);
    }
  for (const frame of document.querySelectorAll<HTMLIFrameElement>("iframe[data-purpose][data-src]")) {
    const yes = asking.may(frame.dataset["purpose"]!), card = cards.get(frame);
    if (yes) {
      frame.src ||= frame.dataset["src"]!;
      frame.style.display = "";
      // The keyboard stays where it was: on what the card has become.
      const held = card?.shadowRoot?.activeElement;
      card?.remove();
      cards.delete(frame);
      if (held) frame.focus();
    } else {
      frame.removeAttribute("src");
      // Not `hidden`: many style sheets give every frame a display of its own.
      frame.style.setProperty("display", "none", "important");
      if (card?.isConnected) continue;
      const made = placeholder(configuration, asking, frame);
      cards.set(frame, made);
      frame.before(made);
    }
  }
}

function placeholder(configuration: Configuration, { grant, choose, gpc }: Asking, frame: HTMLIFrameElement): HTMLElement {
  const { strings } = configuration;
  const name = frame.dataset["purpose"]!;
  const purpose = named(configuration, name);
  const { host, root } = hosted("sayso-embed", configuration);
  dress(root);
  const card = h("section", { class: "embed", "aria-label": frame.title || purpose?.title || name },
    frame.title && h("b", {}, frame.title),
    h("p", {}, strings.embed.replace("{purpose}", () => purpose?.title ?? name)),
    gpc && touched(configuration, name) && h("p", { class: "gpc" }, strings.gpc),
    h("div", { class: "pair" }, purpose && button(strings.allow, "fill", () => grant(name)), button(strings.choose, "", choose)));
  if (+frame.height) card.style.minBlockSize = frame.height + "px";
  root.append(card);
  return host;
}
