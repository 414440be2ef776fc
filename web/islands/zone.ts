/** Where no place was chosen for quiet hours, the one that this device keeps its clock by is proposed. Nothing is sent until the form is. */

export function zone(): void {
  const select = document.querySelector<HTMLSelectElement>("select[data-zone]");
  if (!select || select.value) return;
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const option = [...select.options].find((each) => each.value === here);
  if (option) option.selected = option.defaultSelected = true;
}
