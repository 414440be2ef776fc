/** The demo shop's panel: what waits for a yes, what runs since when. It listens to the banner like any page may. */

export function shop(): void {
  const panel = document.querySelector<HTMLElement>("[data-running]");
  if (!panel) return;
  const rows = [...panel.querySelectorAll<HTMLElement>("[data-tag]")];
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium", numberingSystem: "latn" });
  const show = () => {
    for (const row of rows) {
      const since = document.documentElement.getAttribute("data-" + row.dataset["tag"]!);
      const word = row.querySelector<HTMLElement>("[data-state]")!;
      const state = since ? "running" : window.sayso?.has(row.dataset["purpose"]!) ? "released" : "waiting";
      row.dataset["now"] = state;
      word.textContent = word.getAttribute("data-" + state)!.replace("{time}", since ? clock.format(new Date(+since)) : "");
    }
  };
  for (const event of ["sayso:ready", "sayso:change", "demo:tag"]) document.addEventListener(event, show);
  for (const opener of document.querySelectorAll<HTMLElement>("[data-open-choices]")) {
    opener.hidden = false;
    opener.onclick = () => window.sayso?.open();
  }
  show();
}

declare global {
  interface Window {
    sayso?: import("../banner/main.ts").Sayso;
  }
}
