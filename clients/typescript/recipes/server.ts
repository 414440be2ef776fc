import { sayso, SaysoError } from "@sayso/sdk";

declare const process: { env: Record<string, string | undefined> };

const say = sayso({ url: process.env.SAYSO_URL!, key: process.env.SAYSO_KEY! });

/** A page for a customer who is signed in: recommendations are in the HTML only if they may be used today. */
export async function page(customer: string): Promise<Response> {
  const subject = await known(customer);
  const answer = subject && (await say.evaluate({
    subject: { type: "service", id: "shop" },
    action: { name: "use" },
    resource: { type: "behaviour", id: subject },
    context: { purpose: "recommendations" },
  }));
  const body = answer && answer.decision ? "<h2>For you</h2>" : "<h2>New this week</h2>";
  // A page that depends on what one person said belongs in no shared cache.
  return new Response(body, { headers: { "content-type": "text/html; charset=utf-8", "cache-control": "private, no-store" } });
}

/** What the customer chose in a form of yours. The order's own number makes a second press the same act. */
export async function subscribed(customer: string, order: string): Promise<string> {
  const recorded = await say.record(
    {
      subject: { identifier: { type: "customer_id", value: customer } },
      notice: "web",
      notice_version: 1,
      locale: "en",
      choices: { "marketing.email": "granted" },
    },
    { idempotencyKey: `order-${order}` },
  );
  return recorded.receipt;
}

async function known(customer: string): Promise<string | undefined> {
  try {
    return (await say.resolve({ type: "customer_id", value: customer })).subject;
  } catch (error) {
    if (error instanceof SaysoError && (error.slug === "no-subject" || error.slug === "unreachable")) return undefined;
    throw error;
  }
}
