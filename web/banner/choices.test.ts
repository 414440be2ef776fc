import assert from "node:assert/strict";
import { test } from "node:test";
import { all, answered, asked, granted, news, noted, parse, print, settle, type Known } from "./choices.ts";
import type { Configuration } from "./configuration.ts";

const configuration = {
  site: "shop", token: "t", notice: "web", version: 3, locale: "en", dir: "ltr", title: "", text: "", strings: {},
  purposes: [{ name: "news", title: "News" }, { name: "ads", title: "Ads" }, { name: "orders", title: "Orders", ask: false }],
} as unknown as Configuration;
const DEVICE = "d".repeat(22);
const fresh = () => DEVICE;
const known = (choices: Known["choices"], changes: Partial<Known> = {}): Known => ({ notice: "web", version: 3, device: DEVICE, choices, over: [], notes: [], ...changes });

test("what is printed is read back", () => {
  for (const one of [known({ news: "granted", "a.b-c": "refused" }), known({}, { device: "" }), known({ ads: "refused" }, { notice: "a:b" }),
    known({ ads: "granted", news: "granted" }, { over: ["ads"], notes: ["~gpc", "!shop.example:8443"] })])
    assert.deepEqual(parse(print(one)), one);
});

test("a purpose that became wider under the same notice is asked again, and only it", () => {
  const wider = { ...configuration, version: 3.000086401, purposes: [{ name: "news", title: "News", since: 1 }, { name: "ads", title: "Ads", since: 3.000086401 }] };
  const before = known({ news: "granted", ads: "granted" });
  assert.equal(granted(wider, before, "ads"), false);
  assert.equal(granted(wider, before, "news"), true);
  assert.deepEqual(news(wider, before), { added: [], changed: ["ads"] });
  const { known: after, submission } = settle(wider, before, { ads: "granted" }, fresh);
  assert.equal(submission.notice_version, 3);
  assert.deepEqual(parse(print(after)), after);
  assert.equal(answered(wider, parse(print(after))), true);
  assert.equal(granted(configuration, after, "news"), false, "a version yet to come");
});

test("a cookie that is not ours is nothing known", () => {
  for (const text of ["", "web", "web:x||", ":3||", "<script>", "web:1234567890||"]) assert.equal(parse(text), null);
});

test("a mark without plus is a refusal, never a grant", () => {
  assert.deepEqual(parse("web:3||?news|-ads|x")?.choices, { news: "refused", ads: "refused" });
});

test("a word that something waits stays until it was sent, whatever is answered meanwhile", () => {
  const there = noted(known({ news: "granted" }, { notes: ["~gpc"] }), "!shop.example", true);
  assert.deepEqual(there.notes, ["~gpc", "!shop.example"]);
  assert.deepEqual(noted(there, "!shop.example", true).notes, there.notes);
  assert.deepEqual(settle(configuration, there, { ads: "refused" }, fresh).known.notes, ["!shop.example"]);
  assert.deepEqual(noted(there, "!shop.example", false).notes, ["~gpc"]);
});

test("purposes that are facts are not asked", () => assert.deepEqual(asked(configuration), ["news", "ads"]));

test("nothing is granted before an answer, by another notice or by another version", () => {
  const yes = { news: "granted", ads: "granted" } as const;
  assert.equal(granted(configuration, null, "news"), false);
  assert.equal(granted(configuration, known(yes, { version: 2 }), "news"), false);
  assert.equal(granted(configuration, known(yes, { notice: "other" }), "news"), false);
  assert.equal(granted(configuration, known(yes), "news"), true);
  assert.equal(granted(configuration, known(yes), "orders"), false);
});

const grown = {
  ...configuration, version: 5,
  purposes: [{ name: "news", title: "News", since: 2 }, { name: "ads", title: "Ads", since: 4 }, { name: "video", title: "Video", since: 5 }],
} as Configuration;

test("an answer counts as long as what was asked stayed the same, and the rest is told apart", () => {
  const before = known({ news: "granted", ads: "granted" });
  assert.equal(granted(grown, before, "news"), true);
  assert.equal(granted(grown, before, "ads"), false);
  assert.equal(answered(grown, before), false);
  assert.deepEqual(news(grown, before), { added: ["video"], changed: ["ads"] });
  assert.deepEqual(news(grown, null), { added: [], changed: [] });
  assert.deepEqual(news(grown, known({}, { notice: "other" })), { added: [], changed: [] });
  assert.equal(answered({ ...grown, purposes: [grown.purposes[0]!] }, before), true);
  assert.equal(granted(grown, { ...before, version: 6 }, "news"), false);
});

test("an answer to one purpose keeps those that still count, and no others", () => {
  const { known: kept, submission } = settle(grown, known({ news: "refused", ads: "granted" }), { video: "granted" }, fresh);
  assert.deepEqual(kept, known({ news: "refused", video: "granted" }, { version: 5 }));
  assert.deepEqual(submission.choices, { video: "granted" });
  assert.equal(answered(grown, kept), false);
});

test("a name of the language itself is no purpose", () => {
  assert.equal(granted(configuration, known({ news: "refused", ads: "refused" }), "toString"), false);
  assert.equal(answered(configuration, known({})), false);
});

test("a refusal of everything by an unknown device leaves no device", () => {
  const { known: kept, submission } = settle(configuration, null, all(configuration, () => false), fresh);
  assert.equal(kept.device, "");
  assert.equal(submission.device, DEVICE);
  assert.deepEqual(submission.choices, { news: "refused", ads: "refused" });
});

test("one yes keeps the device, and a later refusal is said by the same device", () => {
  const first = settle(configuration, null, all(configuration, (name) => name === "news"), fresh).known;
  assert.equal(first.device, DEVICE);
  const second = settle(configuration, first, all(configuration, () => false), () => assert.fail("a known device needs no new one"));
  assert.equal(second.known.device, DEVICE);
  assert.equal(second.submission.device, DEVICE);
});

const signalled = { ...configuration, purposes: [{ name: "news", title: "News" }, { name: "ads", title: "Ads", gpc: true }] } as Configuration;

test("under the browser's signal a yes from before does not count for what it reaches", () => {
  const before = known({ news: "granted", ads: "granted" });
  assert.equal(granted(signalled, before, "ads", true), false);
  assert.equal(granted(signalled, before, "news", true), true);
  assert.equal(granted(signalled, before, "ads"), true);
  assert.equal(granted(signalled, { ...before, over: ["ads"] }, "ads", true), true);
});

test("accepting all under the signal says nothing of what it reaches, and keeps it as a no", () => {
  const { known: kept, submission } = settle(signalled, null, all(signalled, () => true), fresh, true);
  assert.deepEqual(kept, known({ news: "granted", ads: "refused" }, { notes: ["~gpc"] }));
  assert.deepEqual(submission.choices, { news: "granted" });
  assert.equal(submission.gpc, true);
});

test("a purpose ticked by itself under the signal is granted over it, and stays so when the signal ends", () => {
  const { known: kept, submission } = settle(signalled, null, all(signalled, () => true), fresh, true, true);
  assert.deepEqual(kept.over, ["ads"]);
  assert.deepEqual([submission.choices, submission.conflict_shown], [{ news: "granted", ads: "granted" }, true]);
  const later = settle(signalled, kept, all(signalled, (name) => name === "ads"), fresh);
  assert.deepEqual(later.known.over, ["ads"]);
  assert.equal(later.submission.gpc, undefined);
});

test("when the signal reaches everything that was accepted, only the signal is sent", () => {
  const only = { ...signalled, purposes: [signalled.purposes[1]!] };
  assert.deepEqual(settle(only, null, { ads: "granted" }, fresh, true).submission, { token: "t", device: DEVICE, gpc: true });
});

test("a submission is exactly what the server takes", () => {
  const { submission } = settle(configuration, null, all(configuration, () => true), fresh);
  assert.deepEqual(submission, {
    token: "t", device: DEVICE, notice: "web", notice_version: 3, locale: "en", choices: { news: "granted", ads: "granted" }, method: "banner",
  });
});
