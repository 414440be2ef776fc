/** The save bar: it says how many switches differ from what stands, and the browser asks before they are lost. */

export function unsaved(): void {
  const form = document.querySelector<HTMLFormElement>("form[data-unsaved]");
  const note = form?.querySelector<HTMLElement>("[data-changes]");
  if (!form || !note) return;
  const boxes = [...form.querySelectorAll<HTMLInputElement>("input[type=checkbox]")];
  const changed = () => boxes.filter((box) => box.checked !== box.defaultChecked).length;
  const show = () => {
    const count = changed();
    note.textContent = count === 0 ? note.dataset["none"]! : (count === 1 ? note.dataset["one"]! : note.dataset["many"]!).replace("{count}", String(count));
    form.toggleAttribute("data-changed", count > 0);
  };
  const ask = (event: BeforeUnloadEvent) => {
    if (changed()) event.preventDefault();
  };
  form.addEventListener("change", show);
  form.addEventListener("submit", () => removeEventListener("beforeunload", ask));
  addEventListener("beforeunload", ask);
  show();
}
