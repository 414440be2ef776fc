/** Verifying a record in the browser: the receipt's signature, the leaf in the tree, the signature under the tree. No network, no page. */

export interface Bundle {
  pending: boolean;
  receipt?: string | null;
  leaf?: string | null;
  proof?: string | null;
  vkey?: string | null;
}

export interface Jwk {
  kty?: string;
  crv?: string;
  x?: string;
  kid?: string;
}

export interface Verified {
  index: number;
  size: number;
  /** The hashes from the leaf to the root, as hex. */
  path: string[];
  leafHash: string;
}

/** Why a proof was not accepted. "unsupported": this browser has no Ed25519, which says nothing about the proof. */
export type Reason = "unsupported" | "receipt" | "key" | "entry" | "inclusion" | "checkpoint";

export class Refused extends Error {
  readonly reason: Reason;
  constructor(reason: Reason) {
    super(reason);
    this.reason = reason;
  }
}

interface Proof {
  index: number;
  hashes: Uint8Array<ArrayBuffer>[];
  checkpoint: string;
}

const encoder = new TextEncoder();

/** Base64, plain or for URLs. Only the one spelling of the bytes is taken: spare bits that are not zero would be a second one. */
export function bytes(base64: string): Uint8Array<ArrayBuffer> {
  const plain = base64.replace(/-/g, "+").replace(/_/g, "/");
  const text = atob(plain);
  if (btoa(text).replace(/=/g, "") !== plain.replace(/=/g, "")) throw new TypeError("spare bits");
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export const hex = (data: Uint8Array): string => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, at) => byte === b[at]);

async function sha256(...parts: Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

async function signed(key: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>): Promise<boolean> {
  let imported: CryptoKey;
  try {
    imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    throw new Refused("unsupported");
  }
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
}

/** A compact JWS with `alg: Ed25519` (RFC 9864) whose key is among `keys`; its claims. */
export async function openReceipt(jws: string, keys: readonly Jwk[]): Promise<Record<string, unknown>> {
  const [head, body, signature, more] = jws.trim().split(".");
  if (!head || !body || !signature || more !== undefined) throw new Refused("receipt");
  const header = read(head) as { alg?: string; kid?: string };
  const key = keys.find((candidate) => candidate.kid === header.kid && candidate.crv === "Ed25519");
  if (header.alg !== "Ed25519" || !key?.x) throw new Refused("key");
  if (!(await signed(bytes(key.x), attempt("receipt", () => bytes(signature)), encoder.encode(head + "." + body)))) throw new Refused("receipt");
  return read(body) as Record<string, unknown>;
}

const read = (part: string): unknown => attempt("receipt", () => JSON.parse(new TextDecoder().decode(bytes(part))));

/** What cannot even be read is refused for the same reason as what does not hold. */
function attempt<T>(reason: Reason, work: () => T): T {
  try {
    return work();
  } catch {
    throw new Refused(reason);
  }
}

/** `c2sp.org/tlog-proof@v1`: header, optional extra, index, hashes, a blank line, the checkpoint. */
export function parseProof(text: string): Proof {
  const cut = text.indexOf("\n\n");
  const lines = text.slice(0, cut).split("\n");
  if (cut < 0 || lines.shift() !== "c2sp.org/tlog-proof@v1") throw new Refused("inclusion");
  if (lines[0]?.startsWith("extra ")) lines.shift();
  const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? "")?.[1];
  const hashes = lines.map(hashOf);
  if (index === undefined) throw new Refused("inclusion");
  return { index: +index, hashes, checkpoint: text.slice(cut + 2) };
}

function hashOf(line: string): Uint8Array<ArrayBuffer> {
  const hash = attempt("inclusion", () => bytes(line));
  if (hash.length !== 32) throw new Refused("inclusion");
  return hash;
}

/** The root that a leaf hash and its path lead to (RFC 9162, 2.1.3.2). */
export async function rootFrom(leafHash: Uint8Array<ArrayBuffer>, index: number, size: number, path: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array> {
  if (index >= size) throw new Refused("inclusion");
  let node = index;
  let last = size - 1;
  let hash = leafHash;
  for (const sibling of path) {
    if (last === 0) throw new Refused("inclusion");
    if (node % 2 === 1 || node === last) {
      hash = await sha256(Uint8Array.of(1), sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else hash = await sha256(Uint8Array.of(1), hash, sibling);
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw new Refused("inclusion");
  return hash;
}

/** A checkpoint in a signed note (C2SP): size and root, once the signature of `vkey` under it held. */
export async function openCheckpoint(note: string, vkey: string): Promise<{ size: number; root: Uint8Array }> {
  const parts = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(vkey.trim());
  const cut = note.indexOf("\n\n");
  if (!parts || cut < 0) throw new Refused("checkpoint");
  const [, name, id, encoded] = parts as unknown as [string, string, string, string];
  const key = attempt("checkpoint", () => bytes(encoded));
  const expected = await sha256(encoder.encode(name + "\n"), key);
  if (key[0] !== 1 || key.length !== 33 || hex(expected.slice(0, 4)) !== id) throw new Refused("checkpoint");

  const text = note.slice(0, cut + 1);
  const ours = note
    .slice(cut + 2)
    .split("\n")
    .map((line) => /^— (\S+) (\S+)$/.exec(line))
    .filter((line) => line?.[1] === name)
    .map((line) => attempt("checkpoint", () => bytes(line![2]!)))
    .find((signature) => hex(signature.slice(0, 4)) === id);
  if (!ours || !(await signed(key.slice(1), ours.slice(4), encoder.encode(text)))) throw new Refused("checkpoint");

  const [origin, size, root] = text.split("\n");
  if (origin !== name || !/^(0|[1-9]\d{0,15})$/.test(size ?? "")) throw new Refused("checkpoint");
  return { size: +size!, root: attempt("checkpoint", () => bytes(root ?? "")) };
}

/** Everything at once; a refusal names the first step that failed. */
export async function verify(bundle: Bundle, keys: readonly Jwk[], entry: string): Promise<Verified> {
  if (!globalThis.crypto?.subtle) throw new Refused("unsupported");
  if (bundle.receipt) {
    const { receipt } = (await openReceipt(bundle.receipt, keys)) as { receipt?: { entry?: string } };
    if (receipt?.entry !== entry) throw new Refused("entry");
  }
  const leaf = attempt("entry", () => bytes(bundle.leaf!));
  const { id } = attempt("entry", () => JSON.parse(new TextDecoder().decode(leaf)) as { id?: string });
  if (id !== entry) throw new Refused("entry");
  const { index, hashes, checkpoint } = parseProof(bundle.proof ?? "");
  const { size, root } = await openCheckpoint(checkpoint, bundle.vkey ?? "");
  const leafHash = await sha256(Uint8Array.of(0), leaf);
  if (!same(await rootFrom(leafHash, index, size, hashes), root)) throw new Refused("inclusion");
  return { index, size, path: hashes.map(hex), leafHash: hex(leafHash) };
}
