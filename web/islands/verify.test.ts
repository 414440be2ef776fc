/** The proofs come from a log that Python made with nothing of ours (tests/faces/log.py); their file is named by SAYSO_PROOFS. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Refused, bytes, parseProof, verify, type Bundle, type Jwk } from "./verify.ts";

interface Case {
  size: number;
  index: number;
  entry: string;
  bundle: Required<Bundle>;
}

const { cases, keys, other } = JSON.parse(readFileSync(process.env["SAYSO_PROOFS"]!, "utf8")) as { cases: Case[]; keys: Jwk[]; other: Required<Bundle> };
const refused = (work: Promise<unknown>, ...reasons: string[]) =>
  assert.rejects(work, (error: unknown) => error instanceof Refused && (reasons.length === 0 || reasons.includes(error.reason)));

test("every entry of every small log is verified", async () => {
  for (const { bundle, entry, index, size } of cases) {
    const done = await verify(bundle as Bundle, keys, entry);
    assert.deepEqual([done.index, done.size], [index, size]);
  }
});

test("a flipped bit anywhere is refused", async () => {
  const { bundle, entry } = cases.at(-1)!;
  for (const part of ["receipt", "leaf", "proof", "vkey"] as const) {
    const text = bundle[part] as string;
    for (let at = 0; at < text.length; at++) {
      if (part === "proof" && at < "c2sp.org/tlog-proof@v1".length) continue;
      const changed = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
      await refused(verify({ ...(bundle as Bundle), [part]: changed }, keys, entry));
    }
  }
});

test("a receipt for another entry is not this one's", async () => {
  const [first, second] = cases.filter(({ size }) => size > 2);
  await refused(verify(second!.bundle as Bundle, keys, first!.entry), "entry");
  await refused(verify({ ...(second!.bundle as Bundle), receipt: first!.bundle.receipt! }, keys, second!.entry), "entry");
});

test("a receipt is worth nothing under a key that is not published", async () => {
  const { bundle, entry } = cases.at(-1)!;
  await refused(verify(bundle as Bundle, [], entry), "key");
});

test("a proof under another log's key is refused", async () => {
  const { bundle, entry } = cases.at(-1)!;
  await refused(verify({ ...(bundle as Bundle), vkey: other.vkey! }, keys, entry), "checkpoint");
  await refused(verify({ ...(bundle as Bundle), proof: other.proof! }, keys, entry), "checkpoint", "inclusion");
});

test("a path that is too long, too short or of odd hashes is refused", async () => {
  const { bundle, entry } = cases.at(-1)!;
  const [head, ...rest] = bundle.proof!.split("\n\n");
  const lines = head!.split("\n");
  for (const changed of [[...lines, lines.at(-1)!], lines.slice(0, -1), [...lines.slice(0, -1), "AAAA"], [lines[0]!, "index 99", ...lines.slice(2)]])
    await refused(verify({ ...(bundle as Bundle), proof: [changed.join("\n"), ...rest].join("\n\n") }, keys, entry), "inclusion");
});

test("extra data before the index is passed over", () => {
  const proof = cases.at(-1)!.bundle.proof!.replace("\nindex", "\nextra aGVsbG8=\nindex");
  assert.equal(parseProof(proof).index, cases.at(-1)!.index);
});

test("base64url is read with and without the letters that differ", () => assert.deepEqual([...bytes("-_8")], [251, 255]));
