/** What the tags of other firms are told, in their own words: Google's consent mode, Microsoft UET and Clarity. */

import type { Configuration } from "./configuration.ts";

declare global {
  interface Window {
    dataLayer?: unknown[];
    uetq?: unknown[];
    clarity?: (...words: unknown[]) => void;
  }
}

type Word = "granted" | "denied";

/** Google's keys: each granted when it rests on a purpose and all of its purposes may be served. */
export const words = (modes: Record<string, string[]>, may: (purpose: string) => boolean): Record<string, Word> =>
  Object.fromEntries(Object.entries(modes).map(([key, names]) => [key, names.length && names.every(may) ? "granted" : "denied"]));

/** Tell them: `default` before any tag has run, `update` after a choice. Nothing where the site told us of no tags. */
export function speak({ modes }: Configuration, when: "default" | "update", may: (purpose: string) => boolean): void {
  if (!modes) return;
  const said = words(modes, may);
  const { ad_storage, analytics_storage } = said;
  const layer = (window.dataLayer ??= []);
  // Google's library reads an `arguments` object, and overlooks an array.
  (function (..._: unknown[]) {
    layer.push(arguments);
  })("consent", when, said);
  (window.uetq ??= []).push("consent", when, { ad_storage });
  window.clarity?.("consentv2", { ad_Storage: ad_storage, analytics_Storage: analytics_storage });
}
