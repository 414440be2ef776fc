/** A part in a frame on the brand's page: it asks for the brand's word, tells how high it is, and says what became of an act. */

export function framed(): void {
  const body = document.body;
  const state = body.dataset["framed"];
  if (!state || parent === window) return;
  // Nothing in these is secret, and the policy lets the declared pages alone be the parent.
  const say = (said: object) => parent.postMessage(said, "*");
  const flash = document.querySelector<HTMLElement>("main > .flash[role]:not([hidden])");
  say({ sayso: state, title: document.title, changed: flash?.matches(".good") ?? false });
  const size = () => say({ sayso: "size", height: Math.ceil(body.getBoundingClientRect().height) });
  // A frame below the window is not drawn, so its observers sleep: it is measured at once as well, and with its fonts.
  size();
  void document.fonts.ready.then(size);
  new ResizeObserver(size).observe(body);
  if (flash && document.hasFocus()) {
    flash.tabIndex = -1;
    flash.focus();
  }
  if (state !== "waiting") return;
  const form = document.forms[0]!;
  addEventListener("message", (event: MessageEvent<{ sayso?: unknown }>) => {
    if (event.source !== parent || !body.dataset["origins"]!.split(" ").includes(event.origin)) return;
    const token = event.data?.sayso;
    if (typeof token !== "string") return;
    form.querySelector<HTMLInputElement>("[name=code]")!.value = token;
    if (token) return form.submit();
    document.querySelector<HTMLElement>(".flash")!.hidden = false;
    say({ sayso: "refused" });
  });
}
