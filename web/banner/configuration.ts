/** What the server puts into the file: one site, one notice, one language, every sentence finished. */

export interface Purpose {
  name: string;
  title: string;
  /** What is done with the data, in a sentence or two. */
  text?: string;
  /** Legal basis and term, in words. */
  facts?: string;
  /** Who gets the data, in words. */
  who?: string;
  /** The oldest version of the notice whose answer to this purpose still counts. Left out when only the present one's does. */
  since?: number;
  /** False: a fact to tell, not a box to tick. Left out when true. */
  ask?: false;
  /** An opt-out signal of the browser says no to it. Left out when false. */
  gpc?: true;
}

export interface Configuration {
  site: string;
  token: string;
  notice: string;
  version: number;
  locale: string;
  dir: "ltr" | "rtl";
  title: string;
  /** A sentence before the text of the notice; only in some wordings. */
  lead?: string;
  /** Which of the site's wordings this is. Left out when there is one. */
  wording?: string;
  text: string;
  purposes: Purpose[];
  strings: Record<
    | "asks" | "accept" | "refuse" | "choose" | "save" | "close" | "layer" | "always" | "notice" | "page"
    | "gpc" | "saved" | "yes" | "no" | "running" | "reopen" | "added" | "changed" | "embed" | "allow",
    string
  >;
  notice_url?: string;
  preferences_url?: string;
  cookie_domain?: string;
  /** Days until the question may be asked again; left out when 180. */
  days?: number;
  /** False when the site has its own way to open the choices. Left out when true. */
  reopen?: false;
  /** The request for this file carried `Sec-GPC: 1`. Left out when it did not. */
  gpc?: true;
  /** The purposes on which each key of Google's consent mode rests; left out where tags are not told. */
  modes?: Record<string, string[]>;
}
