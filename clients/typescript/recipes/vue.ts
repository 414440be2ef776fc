import { onMounted, onUnmounted, readonly, ref, type Ref } from "vue";
import type { Banner } from "@sayso/sdk";

const banner = (): Banner | undefined => (globalThis as { sayso?: Banner }).sayso;

/** Whether the visitor said yes to this purpose. On the server, and until the banner has spoken, it is a no. */
export function useSay(purpose: string): Readonly<Ref<boolean>> {
  const allowed = ref(false);
  const look = () => {
    allowed.value = banner()?.has(purpose) ?? false;
  };
  onMounted(() => {
    look();
    document.addEventListener("sayso:ready", look);
    document.addEventListener("sayso:change", look);
  });
  onUnmounted(() => {
    document.removeEventListener("sayso:ready", look);
    document.removeEventListener("sayso:change", look);
  });
  return readonly(allowed);
}
