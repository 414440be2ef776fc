import { useSyncExternalStore, type ReactNode } from "react";
import type { Banner } from "@sayso/sdk";

const banner = (): Banner | undefined => (globalThis as { sayso?: Banner }).sayso;

function subscribe(changed: () => void): () => void {
  const events = ["sayso:ready", "sayso:change"];
  for (const event of events) document.addEventListener(event, changed);
  return () => events.forEach((event) => document.removeEventListener(event, changed));
}

/** Whether the visitor said yes to this purpose. On the server, and until the banner has spoken, it is a no. */
export function useSay(purpose: string): boolean {
  return useSyncExternalStore(subscribe, () => banner()?.has(purpose) ?? false, () => false);
}

/** What is inside only if the visitor said yes, and something else until then. */
export function IfAllowed({ purpose, children, otherwise }: { purpose: string; children: ReactNode; otherwise?: ReactNode }) {
  return useSay(purpose) ? children : otherwise;
}

export function ChoicesButton({ children }: { children: ReactNode }) {
  return <button type="button" onClick={() => banner()?.open()}>{children}</button>;
}
