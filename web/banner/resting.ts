/** What stands on the page: one element of ours, and in it the button that opens the choices again. Nearly every visit needs no more. */

import type { Configuration } from "./configuration.ts";
import { button, hosted } from "./elements.ts";

export interface Stand {
  root: ShadowRoot;
  open: HTMLButtonElement;
  /** Put it on the page: when it has something to show, since each style that the browser works out before would be for nothing. */
  place(): void;
  /** Show the button alone. */
  rest(): void;
}

export function stand(configuration: Configuration, choose: () => void): Stand {
  const { host, root } = hosted("sayso-say", configuration);
  const open = button(configuration.strings.reopen, "open", choose);
  root.append(open);
  open.hidden = true;
  host.popover = "manual";
  const place = (): void => {
    if (host.isConnected) return;
    document.body.prepend(host);
    // In the top layer: out of reach of what the page lays over itself, and of a filter or transform of its body.
    host.showPopover?.();
  };
  const rest = (): void => {
    open.hidden = configuration.reopen === false;
    place();
  };
  return { root, open, place, rest };
}
