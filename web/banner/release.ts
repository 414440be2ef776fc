/** Releasing blocked scripts: after a yes, in the order of the page, one per task, after the paint. */

/**
 * Run every `<script type="text/plain" data-purpose>` whose purpose `may` run.
 *
 * A script that the parser left alone because of its type has not "already started" (HTML, 4.12.1.1), so taking it out, giving it a
 * type that runs and putting it back starts it: nonce, attributes and Trusted Types state stay as the site wrote them, and no text is
 * ever copied into a new script.
 */
export async function release(may: (purpose: string) => boolean): Promise<void> {
  const scripts = document.querySelectorAll<HTMLScriptElement>('script[type="text/plain"][data-purpose]');
  for (const script of scripts) {
    if (!may(script.dataset["purpose"]!) || !script.isConnected || script.type !== "text/plain") continue;
    await task();
    await start(script);
  }
}

function start(script: HTMLScriptElement): Promise<void> | void {
  const { parentNode, nextSibling } = script;
  script.remove();
  script.type = script.dataset["type"] ?? "text/javascript";
  script.async = false;
  const done = script.src
    ? new Promise<void>((resolve) => {
        script.onload = script.onerror = () => resolve();
      })
    : undefined;
  parentNode!.insertBefore(script, nextSibling);
  return done;
}

/** The next task, after the frame that is being drawn. A page in the background draws none, so time decides there. */
const task = (): Promise<void> =>
  new Promise((resolve) => {
    const once = () => setTimeout(resolve);
    if (document.hidden) once();
    else requestAnimationFrame(once);
  });
