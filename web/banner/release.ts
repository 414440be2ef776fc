/** Releasing what waits: after a yes, in the order of the page, one tag per task, after the paint. */

const BLOCKED = 'script[type="text/plain"][data-purpose], template[data-purpose]';

/** Milliseconds after which a tag that does not load holds up nobody. */
const PATIENCE = 4000;

let running = false;

/**
 * Run every `<script type="text/plain" data-purpose>`, and put every `<template data-purpose>` in its place, whose purpose `may` run.
 *
 * A script that the parser left alone because of its type has not "already started" (HTML, 4.12.1.1), so taking it out, giving it a
 * type that runs and putting it back starts it: nonce, attributes and Trusted Types state stay as the site wrote them, and no text is
 * ever copied into a new script. What the page adds meanwhile has its turn too.
 */
export async function release(may: (purpose: string) => boolean): Promise<void> {
  if (running) return;
  running = true;
  try {
    for (let next; (next = waiting(may)); ) {
      await task();
      if (!next.isConnected || !may(next.dataset["purpose"]!)) continue;
      if ("content" in next) unfold(next);
      else await start(next);
    }
  } finally {
    running = false;
  }
}

const waiting = (may: (purpose: string) => boolean) =>
  [...document.querySelectorAll<HTMLScriptElement | HTMLTemplateElement>(BLOCKED)].find((one) => may(one.dataset["purpose"]!));

/** The content takes the place of the template. Its scripts wait for their turn, or they would all run now and out of order. */
function unfold(template: HTMLTemplateElement): void {
  for (const script of template.content.querySelectorAll("script")) {
    script.dataset["purpose"] ??= template.dataset["purpose"];
    if (script.type === "text/plain") continue;
    script.dataset["type"] = script.type;
    script.type = "text/plain";
  }
  template.replaceWith(template.content);
}

function start(script: HTMLScriptElement): Promise<void> | void {
  const { parentNode, nextSibling } = script;
  script.remove();
  script.type = script.dataset["type"] ?? "text/javascript";
  // The next one waits for this one by itself; without `async` the browser would hold it back for as long as a tag hangs.
  script.async = true;
  const done = script.src
    ? new Promise<void>((resolve) => {
        script.onload = script.onerror = () => resolve();
        setTimeout(resolve, PATIENCE);
      })
    : undefined;
  parentNode!.insertBefore(script, nextSibling);
  return done;
}

/** The next task, after the frame that is being drawn. A page in the background draws none, so time decides there. */
export const task = (): Promise<void> =>
  new Promise((resolve) => {
    const once = () => setTimeout(resolve);
    if (document.hidden) once();
    else requestAnimationFrame(once);
  });
