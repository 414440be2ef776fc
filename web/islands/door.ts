/** The door: the code stands in the fragment, which no server and no log ever sees. It is put in the form; the person presses Continue. */

export function door(): void {
  const field = document.querySelector<HTMLInputElement>("[data-door] input[name=code]");
  const code = location.hash.slice(1);
  if (!field || !code) return;
  field.value = code;
  field.closest<HTMLElement>("[data-field]")!.hidden = true;
  // The code shall not stay in the history of a shared machine.
  history.replaceState(null, "", location.pathname);
  field.form!.querySelector("button")!.focus();
}
