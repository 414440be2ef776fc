/** Copy buttons beside codes and identifiers. */

export function copy(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    if (!navigator.clipboard) return;
    const word = button.textContent;
    button.hidden = false;
    button.onclick = async () => {
      await navigator.clipboard.writeText(button.parentElement!.querySelector("code, [data-text]")!.textContent!.trim());
      button.textContent = button.dataset["copied"]!;
      setTimeout(() => (button.textContent = word), 2000);
    };
  }
}
