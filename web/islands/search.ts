/** Search in a page that is all there: rows that do not hold every word are hidden. */

export function search(): void {
  const field = document.querySelector<HTMLInputElement>("[data-search]");
  if (!field) return;
  const rows = [...document.querySelectorAll<HTMLElement>("[data-words]")];
  const groups = [...document.querySelectorAll<HTMLElement>("[data-group]")];
  const count = document.querySelector<HTMLElement>("[data-count]")!;
  field.closest<HTMLElement>("[hidden]")?.removeAttribute("hidden");
  field.oninput = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const row of rows) {
      const text = row.dataset["words"]!.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden && row.matches("[data-operation]")) found++;
    }
    for (const group of groups) group.hidden = !group.querySelector("[data-words]:not([hidden])");
    count.textContent = words.length ? count.dataset["text"]!.replace("{count}", String(found)) : "";
  };
}
