/** The one cookie, and the queue of submissions that could not be sent yet. Both work, for this page at least, where storage is blocked. */

import { parse, print, type Known, type Submission } from "./choices.ts";
import type { Configuration } from "./configuration.ts";

export interface Waiting {
  key: string;
  at: number;
  body: Submission;
}

const WEEK = 7 * 864e5;

/** 128 random bits as 22 base64url characters. */
export function random(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16)))).replace(/\+/g, "-").replace(/\//g, "_").slice(0, 22);
}

export function cookie(configuration: Configuration) {
  const name = "sayso_" + configuration.site;
  let memory: Known | null = null;
  return {
    read(): Known | null {
      // Where a sub-domain left a second cookie of this name, the browser lists the more specific one first.
      try {
        const found = document.cookie.split("; ").find((part) => part.startsWith(name + "="));
        return (found && parse(decodeURIComponent(found.slice(name.length + 1)))) || memory;
      } catch {
        // a sandboxed frame has no cookies, and a damaged one says nothing
        return memory;
      }
    },
    write(known: Known): void {
      memory = known;
      try {
        document.cookie =
          name + "=" + encodeURIComponent(print(known)).replace(/%(7C|3A|2B)/g, decodeURIComponent) +
          "; path=/; samesite=lax; max-age=" + (configuration.days ?? 180) * 86400 +
          (configuration.cookie_domain ? "; domain=" + configuration.cookie_domain : "") +
          (location.protocol === "https:" ? "; secure" : "");
      } catch {
        // as above
      }
    },
  };
}

/** Submissions not yet acknowledged, oldest first; none is older than a week. */
export function queue(configuration: Configuration) {
  const name = "sayso.queue." + configuration.site;
  let memory: Waiting[] = [];
  const read = (): Waiting[] => {
    try {
      memory = JSON.parse(localStorage.getItem(name) ?? "[]") as Waiting[];
    } catch {
      // blocked or damaged: what this page remembers will do
    }
    return memory.filter((item) => Date.now() - item.at < WEEK);
  };
  const write = (items: Waiting[]): void => {
    memory = items;
    try {
      if (items.length) localStorage.setItem(name, JSON.stringify(items));
      else localStorage.removeItem(name);
    } catch {
      // as above
    }
  };
  return {
    read,
    add: (body: Submission): void => write([...read(), { key: random(), at: Date.now(), body }]),
    drop: (key: string): void => write(read().filter((item) => item.key !== key)),
  };
}
