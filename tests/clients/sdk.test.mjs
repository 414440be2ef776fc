/** The built client against a real server (SAYSO_URL, SAYSO_KEY, SAYSO_MAILER), and against one that fails on purpose. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { sayso, SaysoError } from "../../clients/typescript/dist/index.js";

const { SAYSO_URL: url, SAYSO_KEY: key, SAYSO_MAILER: mailer } = process.env;
const say = sayso({ url: url + "/", key, timeout: 20_000 });
const asMailer = sayso({ url, key: mailer, timeout: 20_000, decideWithin: 20_000 });
const customer = (value) => ({ type: "customer_id", value });
const ask = (subject) => ({
  subject: { type: "service", id: "mailer" },
  action: { name: "use" },
  resource: { type: "contact.email", id: subject },
  context: { purpose: "marketing.email" },
});
const yes = (subject) => ({
  subject, notice: "web", notice_version: 1, locale: "en", choices: { "marketing.email": "granted" },
});

test("from the first sight of a person to their no", async () => {
  const { subject } = await say.resolve(customer("c-1"), { create: true });
  assert.equal((await asMailer.evaluate(ask(subject))).decision, false);
  const recorded = await say.record(yes(subject));
  assert.equal(recorded.state["marketing.email"].status, "granted");
  assert.deepEqual((await say.state(subject)).purposes["marketing.email"].record, recorded.record);
  const several = await asMailer.evaluations({ ...ask(subject), evaluations: [{}, { context: { purpose: "ads" } }] });
  assert.deepEqual(several.evaluations.map((each) => each.decision), [true, false]);

  const stored = await fetch(url + "/v1/vault/records", {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ subject, collection: "customers", fields: { email: "ada@example.org" } }),
  });
  const { tokens } = await stored.json();
  const letter = { items: [{ token: tokens.email }], purpose: "marketing.email", reason: "newsletter" };
  assert.equal((await asMailer.reveal(letter)).results[0].value, "ada@example.org");

  assert.equal((await say.withdraw(subject)).state["marketing.email"].status, "withdrawn");
  const denied = await asMailer.evaluate(ask(subject));
  assert.deepEqual([denied.decision, denied.context.reason], [false, "withdrawn"]);
  assert.equal((await asMailer.reveal(letter)).results[0].code, "unresolvable");
  const before = await say.state(subject, { as_of: "2020-01-01T00:00:00Z" });
  assert.equal(before.purposes["marketing.email"].status, "unasked");
});

test("the same key is the same act", async () => {
  const { subject } = await say.resolve(customer("c-2"), { create: true });
  const [one, two] = [await say.record(yes(subject), { idempotencyKey: "order-7" }), await say.record(yes(subject), { idempotencyKey: "order-7" })];
  assert.equal(one.record, two.record);
});

test("a mistake is an error with the problem's name", async () => {
  await assert.rejects(say.resolve(customer("nobody")), (error) => error instanceof SaysoError && error.slug === "no-subject" && error.status === 404);
  await assert.rejects(say.record({ ...yes("sub_" + "0".repeat(32)), choices: { "marketing.emial": "granted" } }), { slug: "unknown-purpose" });
  await assert.rejects(sayso({ url, key: "sk_wrong" }).evaluate(ask("x")), { status: 401 });
});

/** A server that answers from a list, the last again and again; `null` never answers. */
async function failing(...answers) {
  const seen = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part)).on("end", () => {
      const answer = answers[Math.min(seen.length, answers.length - 1)];
      seen.push({ key: request.headers["idempotency-key"], body });
      if (answer === "cut") request.socket.destroy();
      else if (answer) response.writeHead(answer[0], { "content-type": "application/json", ...answer[2] }).end(JSON.stringify(answer[1]));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => (server.closeAllConnections(), server.close()));
  return { seen, url: `http://127.0.0.1:${server.address().port}` };
}

const busy = [503, { type: "/docs/problems#busy", detail: "Not now." }, { "retry-after": "0" }];

test("what is busy, or cut off, is tried again with the same key", async () => {
  const server = await failing(busy, "cut", [200, { subject: "sub_1", aid: "1" }]);
  const found = await sayso({ url: server.url, key }).resolve(customer("c"));
  assert.equal(found.subject, "sub_1");
  assert.equal(server.seen.length, 3);
  assert.equal(new Set(server.seen.map((each) => each.key)).size, 1);
  assert.match(server.seen[0].key, /^[0-9a-f-]{36}$/);
});

test("a refusal is not tried again", async () => {
  const server = await failing([409, { type: "/docs/problems#stale-notice", detail: "Another version." }]);
  await assert.rejects(sayso({ url: server.url, key }).record(yes("sub_1")), { slug: "stale-notice" });
  assert.equal(server.seen.length, 1);
});

test("no answer in time is a denial, to each question", async () => {
  const silent = await failing(null);
  const client = sayso({ url: silent.url, key, decideWithin: 80, timeout: 80 });
  // It never answers: that there is a decision at all is because nobody waited for it.
  const answer = await client.evaluate(ask("sub_1"));
  assert.deepEqual([answer.decision, answer.context.reason], [false, "unreachable"]);
  const several = await client.evaluations({ evaluations: [ask("sub_1"), ask("sub_2")] });
  assert.deepEqual(several.evaluations.map((each) => each.decision), [false, false]);
  await assert.rejects(client.reveal({ items: [{ token: "tok_1" }], purpose: "p", reason: "r" }), { slug: "unreachable", status: 0 });
});

test("a server that is down, or stays busy, denies", async () => {
  const down = await sayso({ url: "http://127.0.0.1:9", key }).evaluate(ask("sub_1"));
  const full = await sayso({ url: (await failing(busy)).url, key }).evaluate(ask("sub_1"));
  const broken = await sayso({ url: (await failing([500, {}])).url, key }).evaluate(ask("sub_1"));
  assert.deepEqual([down.decision, full.decision, broken.decision], [false, false, false]);
});

test("whoever calls may stop", async () => {
  const silent = await failing(null);
  await assert.rejects(sayso({ url: silent.url, key }).state("sub_1", { signal: AbortSignal.timeout(30) }), { name: "TimeoutError" });
});
