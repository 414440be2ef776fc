/** The one cookie, and the queue of submissions that could not be sent yet. Both work, for this page at least, where storage is blocked. */

import { parse, print, type Known, type Submission } from "./choices.ts";
import type { Configuration } from "./configuration.ts";

export interface Waiting {
  key: string;
  at: number;
  body: Submission;
}

const WEEK = 7 * 864e5;

/** More than 128 random bits as 24 characters of base64url: of 144, less what is lost where "+" and "/" become one. */
export function random(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(18)))).replace(/\W/g, "_");
}

export function cookie(configuration: Configuration) {
  const name = "sayso_" + configuration.site;
  let memory: Known | null = null;
  const known = (value: string | undefined) => (value && parse(decodeURIComponent(value))) || memory;
  return {
    /**
     * The first reading. `document.cookie` holds up the page until another process of the browser answers, and on a busy device that is most
     * of what a visit costs; the store of cookies holds up nobody. Rejects where there is no store, and where it is not for a page like this.
     */
    async first(): Promise<Known | null> {
      return known((await cookieStore.get(name))?.value);
    },
    read(): Known | null {
      // Where a sub-domain left a second cookie of this name, the browser lists the more specific one first.
      try {
        const found = document.cookie.split("; ").find((part) => part.startsWith(name + "="));
        return known(found?.slice(name.length + 1));
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

/** Submissions not yet acknowledged, oldest first; none is older than a week. `told` hears whether there are any when they change. */
export function queue(configuration: Configuration, told: (waits: boolean) => void) {
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
    told(!!items[0]);
    try {
      if (items[0]) localStorage.setItem(name, JSON.stringify(items));
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
