/**
 * Parts of the preference centre as elements of the brand's own page. Each is a frame of Sayso's: it gets no cookie, its words come from
 * the server, and the page's scripts and styles have no way into it.
 *
 *   <script async src="https://privacy.tea.example/v1/sites/shop/embed.js"></script>
 *   <sayso-choices token-url="/account/sayso-token"><a href="/privacy">Your choices</a></sayso-choices>
 *
 * What stands inside the element is for browsers without script, and for the day on which Sayso is not reached.
 */

const source = new URL((document.currentScript as HTMLScriptElement).src);
const [, site] = /\/v1\/sites\/([^/]+)\/embed\.js$/.exec(source.pathname) ?? [];
const PATIENCE = 10_000;
const SILENCE = 2_000;

/** What a frame says: how high it is; or once per page how it stands, what it is called, and whether something was changed. */
type Said = { sayso: "size"; height: number } | { sayso: "waiting" | "open" | "refused"; title?: string; changed?: boolean };

class Part extends HTMLElement {
  #root = this.attachShadow({ mode: "open" });
  #frame = document.createElement("iframe");
  #late = 0;
  #heardOf = false;
  #hear = (event: MessageEvent<Said>) => {
    if (event.source === this.#frame.contentWindow && event.origin === source.origin) void this.#heard(event.data);
  };

  connectedCallback(): void {
    const frame = this.#frame;
    const own = getComputedStyle(this).colorScheme;
    const scheme = own === "normal" ? (document.querySelector<HTMLMetaElement>("meta[name=color-scheme]")?.content ?? "light") : own;
    const theme = scheme.includes("dark") ? (scheme.includes("light") ? "system" : "dark") : "light";
    const locale = this.closest("[lang]")?.getAttribute("lang") ?? "";
    frame.src = `${source.origin}/p/embed/${site}/${this.localName.slice(6)}?${new URLSearchParams({ locale, theme })}`;
    frame.setAttribute("sandbox", "allow-forms allow-same-origin allow-scripts");
    frame.referrerPolicy = "origin";
    Object.assign(this.style, { display: "block" });
    Object.assign(frame.style, { display: "block", inlineSize: "100%", blockSize: "0", border: "0", borderRadius: "12px", colorScheme: theme === "system" ? "light dark" : theme });
    this.#root.replaceChildren(frame);
    // A page of the browser's own, shown where Sayso does not answer, loads as well but says nothing.
    frame.addEventListener("load", () => this.#wait(SILENCE), { once: true });
    addEventListener("message", this.#hear);
    this.#wait(PATIENCE);
  }

  #wait(time: number): void {
    clearTimeout(this.#late);
    if (!this.#heardOf) this.#late = window.setTimeout(() => this.#gone(), time);
  }

  disconnectedCallback(): void {
    removeEventListener("message", this.#hear);
    clearTimeout(this.#late);
  }

  async #heard(said: Said): Promise<void> {
    clearTimeout(this.#late);
    this.#heardOf = true;
    if (said.sayso === "size") {
      this.#frame.style.blockSize = `${said.height}px`;
      return;
    }
    if (said.title) this.#frame.title = said.title;
    if (said.changed) this.#tell("change");
    if (said.sayso === "refused") this.#tell("refused");
    if (said.sayso !== "waiting") return;
    const token = await this.#token();
    this.#frame.contentWindow?.postMessage({ sayso: token }, source.origin);
  }

  #tell(event: string): void {
    this.dispatchEvent(new CustomEvent(event, { bubbles: true }));
  }

  /** The brand's word: once as it stands on the element, after that as its own server gives it. */
  async #token(): Promise<string> {
    const standing = this.getAttribute("token");
    this.removeAttribute("token");
    const address = this.getAttribute("token-url");
    if (standing || !address) return standing ?? "";
    try {
      const answer = await fetch(address, { method: "POST", headers: { accept: "text/plain" } });
      return answer.ok ? (await answer.text()).trim() : "";
    } catch {
      return "";
    }
  }

  /** Sayso is not reached: what the page itself says is shown in its place. */
  #gone(): void {
    this.#root.replaceChildren(document.createElement("slot"));
    this.#tell("refused");
  }
}

for (const name of ["choices", "reach", "uses"]) if (!customElements.get(`sayso-${name}`)) customElements.define(`sayso-${name}`, class extends Part {});
