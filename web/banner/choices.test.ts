import assert from "node:assert/strict";
import { test } from "node:test";
import { all, answered, asked, granted, parse, print, settle, type Known } from "./choices.ts";
import type { Configuration } from "./configuration.ts";

const configuration = {
  site: "shop", token: "t", notice: "web", version: 3, locale: "en", dir: "ltr", title: "", text: "", strings: {},
  purposes: [{ name: "news", title: "News" }, { name: "ads", title: "Ads" }, { name: "orders", title: "Orders", ask: false }],
} as unknown as Configuration;
const DEVICE = "d".repeat(22);
const fresh = () => DEVICE;
const known = (choices: Known["choices"], changes: Partial<Known> = {}): Known => ({ notice: "web", version: 3, device: DEVICE, choices, ...changes });

test("what is printed is read back", () => {
  for (const one of [known({ news: "granted", "a.b-c": "refused" }), known({}, { device: "" }), known({ ads: "refused" }, { notice: "a:b" })])
    assert.deepEqual(parse(print(one)), one);
});

test("a cookie that is not ours is nothing known", () => {
  for (const text of ["", "web", "web:x||", ":3||", "<script>", "web:1234567890||"]) assert.equal(parse(text), null);
});

test("a mark without plus is a refusal, never a grant", () => {
  assert.deepEqual(parse("web:3||?news|-ads|x")?.choices, { news: "refused", ads: "refused" });
});

test("purposes that are facts are not asked", () => assert.deepEqual(asked(configuration), ["news", "ads"]));

test("nothing is granted before an answer, by another notice, by another version, or in part", () => {
  const yes = { news: "granted", ads: "granted" } as const;
  assert.equal(granted(configuration, null, "news"), false);
  assert.equal(granted(configuration, known(yes, { version: 2 }), "news"), false);
  assert.equal(granted(configuration, known(yes, { notice: "other" }), "news"), false);
  assert.equal(granted(configuration, known({ news: "granted" }), "news"), false);
  assert.equal(granted(configuration, known(yes), "news"), true);
  assert.equal(granted(configuration, known(yes), "orders"), false);
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

test("a submission is exactly what the server takes", () => {
  const { submission } = settle(configuration, null, all(configuration, () => true), fresh);
  assert.deepEqual(submission, {
    token: "t", device: DEVICE, notice: "web", notice_version: 3, locale: "en", choices: { news: "granted", ads: "granted" }, method: "banner",
  });
});
