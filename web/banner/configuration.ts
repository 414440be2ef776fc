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
  /** The oldest version whose answer to this purpose still counts. Left out when only the present one's does. */
  since?: number;
  /** False: a fact to tell, not a box to tick. Left out when true. */
  ask?: false;
  /** An opt-out signal of the browser says no to it. Left out when false. */
  gpc?: true;
  /** The language of its title and text. Left out when it is the interface's. */
  lang?: string;
}

export interface Configuration {
  site: string;
  token: string;
  notice: string;
  /** The version of the notice, with a fraction that grows when a purpose becomes wider and the notice stays. */
  version: number;
  /** The language of the notice. */
  locale: string;
  /** The language of everything else. Left out when it is the same. */
  lang?: string;
  dir: "ltr" | "rtl";
  title: string;
  /** The title is the site's own, in the language of the notice, and that is not the interface's. */
  own?: true;
  /** A sentence before the text of the notice; only in some wordings. */
  lead?: string;
  /** Which of the site's wordings this is. Left out when there is one. */
  wording?: string;
  text: string;
  purposes: Purpose[];
  strings: Record<
    | "all" | "asks" | "accept" | "refuse" | "choose" | "save" | "close" | "layer" | "always" | "notice" | "page"
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
  /** The file that hands choices over, from this folder, where this site gives them to others or takes them. */
  hand_over?: string;
  /** Origins to which a choice goes with the visitor, and those from which it may come. Left out when there is none. */
  hands_to?: string[];
  takes_from?: string[];
  /** The purposes on which each key of Google's consent mode rests; left out where tags are not told. */
  modes?: Record<string, string[]>;
}
