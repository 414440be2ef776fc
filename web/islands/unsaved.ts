/** The save bars: each says how many controls of its form differ from what stands, and the browser asks before they are lost. */

export function unsaved(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-unsaved]")) watch(form);
}

function watch(form: HTMLFormElement): void {
  const note = form.querySelector<HTMLElement>("[data-changes]");
  if (!note) return;
  const changed = () => [...form.elements].filter(differs).length;
  const show = () => {
    const count = changed();
    note.textContent = count === 0 ? note.dataset["none"]! : (count === 1 ? note.dataset["one"]! : note.dataset["many"]!).replace("{count}", String(count));
    form.toggleAttribute("data-changed", count > 0);
  };
  const ask = (event: BeforeUnloadEvent) => {
    if (changed()) event.preventDefault();
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", () => removeEventListener("beforeunload", ask));
  addEventListener("beforeunload", ask);
  show();
}

/** Of radios that belong together only the one that is chosen now is counted. */
function differs(control: Element): boolean {
  if (control instanceof HTMLSelectElement) return control.value !== standing(control);
  if (control instanceof HTMLTextAreaElement) return control.value !== control.defaultValue;
  if (!(control instanceof HTMLInputElement)) return false;
  if (control.type === "radio") return control.checked && !control.defaultChecked;
  return control.type === "checkbox" ? control.checked !== control.defaultChecked : control.value !== control.defaultValue;
}

/** What a list says when nothing was touched: its marked option, else its first. */
function standing(select: HTMLSelectElement): string {
  const options = [...select.options];
  return (options.find((option) => option.defaultSelected) ?? options[0])?.value ?? "";
}
