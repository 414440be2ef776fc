"""An evidence bundle built by hand, without a database and without the code that writes them."""

import base64
import json
import zipfile
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.jws import thumbprint
from audit.tlog.checkpoint import Checkpoint
from audit.tlog.merkle import consistency_plan, inclusion_plan, leaf_hash, prove
from audit.tlog.tiles import TileReader, grow, root
from tests.audit.directories import KEY, SECRET

SIGNER = Ed25519PrivateKey.from_private_bytes(sha256(b"bundles").digest())
SIGNER_KEY = SIGNER.public_key().public_bytes_raw()
SIZE = 700
LOGS = {"access": (KEY._replace(name="sayso.example/log/default.access"), SIZE), "consent-2": (KEY, 40)}
"""Two logs of one brand: with which key each is signed, and how many entries it has."""
KEYS = [key for key, _ in LOGS.values()]
SHOWN_OF_SEVERAL = (("access", 0), ("consent-2", 7), ("access", 3), ("consent-2", 8), ("access", 256), ("access", 699))
SHOWN = (0, 3, 4, 255, 256, 300, 301, 302, 511, 698, 699)

Files = dict[str, bytes]


def an_entry(number: int) -> tuple[bytes, list[dict[str, str]]]:
    """A leaf with two commitments, and their openings."""
    entry = sha256(b"entry %d" % number).digest()[:16]
    leaf: dict[str, Any] = {"c": {}, "id": f"ent_{entry.hex()}", "type": "access.permitted", "v": 1}
    openings = []
    for part, payload in (("a", '{"name":"mailer"}'), ("s", f'{{"subject":"sub_{number:032x}"}}')):
        r = sha256(b"r %d %s" % (number, part.encode())).digest()
        message = b"sayso.audit.commitment.v1\0" + part.encode() + entry + payload.encode()
        leaf["c"][part] = base64.b64encode(digest(r, message, "sha256")).decode()
        opened = {"compartment": part, "entry": leaf["id"], "payload": payload, "r": base64.b64encode(r).decode()}
        openings.append(opened)
    return line_of(leaf), openings


def line_of(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def lines_of(values: list[Any]) -> bytes:
    return b"".join((value if isinstance(value, bytes) else line_of(value)) + b"\n" for value in values)


def some_files(shown: tuple[int, ...] = SHOWN, size: int = SIZE) -> Files:
    """The files of a sound bundle, unsigned."""
    entries = [an_entry(number) for number in range(size)]
    tiles = grow(0, {}, [leaf_hash(leaf) for leaf, _ in entries])
    note = Checkpoint(KEY.name, size, root(size, tiles)).sign(KEY, SECRET.sign)
    proofs, last = list[dict[str, Any]](), list[bytes]()
    for index in shown:
        path = prove(inclusion_plan(index, size), TileReader(tiles))
        keep = next((k for k in range(min(len(path), len(last)), 0, -1) if path[-k:] == last[-k:]), 0)
        own = [base64.b64encode(value).decode() for value in path[: len(path) - keep]]
        proofs.append({"hashes": own, "index": index, "keep": keep})
        last = path
    return {
        "README.txt": b"read me\n",
        "checkpoint": note,
        "vkey": KEY.line.encode() + b"\n",
        "entries.jsonl": lines_of([entries[index][0] for index in shown]),
        "proofs.jsonl": lines_of(proofs),
        "openings.jsonl": lines_of([opening for index in shown for opening in entries[index][1]]),
    }


def of_several() -> Files:
    """The files of a sound bundle of two logs, unsigned."""
    held = {log: [an_entry(at * 1_000 + number) for number in range(LOGS[log][1])] for at, log in enumerate(LOGS)}
    trees = {log: grow(0, {}, [leaf_hash(leaf) for leaf, _ in entries]) for log, entries in held.items()}
    proofs, last = list[dict[str, Any]](), dict[str, list[bytes]]()
    for log, index in SHOWN_OF_SEVERAL:
        path, before = prove(inclusion_plan(index, LOGS[log][1]), TileReader(trees[log])), last.get(log, [])
        keep = next((k for k in range(min(len(path), len(before)), 0, -1) if path[-k:] == before[-k:]), 0)
        own = [base64.b64encode(value).decode() for value in path[: len(path) - keep]]
        proofs.append({"hashes": own, "index": index, "keep": keep, "log": log})
        last[log] = path
    files = {
        "README.txt": b"read me\n",
        "entries.jsonl": lines_of([held[log][index][0] for log, index in SHOWN_OF_SEVERAL]),
        "proofs.jsonl": lines_of(proofs),
        "openings.jsonl": lines_of([opening for log, index in SHOWN_OF_SEVERAL for opening in held[log][index][1]]),
    }
    for log, (key, size) in LOGS.items():
        files[f"logs/{log}/checkpoint"] = Checkpoint(key.name, size, root(size, trees[log])).sign(key, SECRET.sign)
        files[f"logs/{log}/vkey"] = key.line.encode() + b"\n"
    return files


def signed_of_several(files: Files, **changes: Any) -> Files:
    """The same with the signed list of files."""
    shown = [log for log, _ in SHOWN_OF_SEVERAL]
    told = {log: {"entries": shown.count(log), "log": key.name, "size": size} for log, (key, size) in LOGS.items()}
    return signed(files, **{"logs": told, "size": None} | changes)


def damages_of_several() -> dict[str, tuple[Files, int, int | None]]:
    """Bundles of two logs, by what was done to them: as `damages`."""
    sound = of_several()
    proofs = [json.loads(line) for line in sound["proofs.jsonl"].splitlines()]
    told = json.loads(signed_of_several(sound)["manifest.json"])["logs"]

    def anew(at: int, **changes: Any) -> Files:
        changed = [dict(proof) for proof in proofs]
        changed[at] |= changes
        return signed_of_several(sound | {"proofs.jsonl": lines_of(changed)})

    bare = [{name: value for name, value in proof.items() if name != "log"} for proof in proofs]
    other = {name: raw for name, raw in sound.items() if not name.startswith("logs/access/")}
    doubled = {f"logs/more/{name}": sound[f"logs/access/{name}"] for name in ("checkpoint", "vkey")}
    strange = {f"logs/$(x)/{name}": raw for name, raw in (("checkpoint", b""), ("vkey", b""))}
    head = stamped({}, 300)
    stamp = {f"logs/consent-2/{name}": raw for name, raw in head.items()}
    return {
        "of two logs": (signed_of_several(sound), 0, None),
        "an entry given to the other log": (anew(1, log="access"), 1, 7),
        "an entry of a log that is not there": (anew(2, log="admin"), 1, 3),
        "an entry of a log with no name": (anew(2, log=["access"]), 1, 3),
        "proofs that name no log": (signed_of_several(sound | {"proofs.jsonl": lines_of(bare)}), 1, 0),
        "a path kept from the other log": (anew(1, keep=9), 1, 7),
        "the head of one log gone": (signed_of_several(other), 1, 0),
        "two heads of one log": (signed_of_several(sound | doubled), 1, None),
        "a head at the top as well": (
            signed_of_several(sound | {"checkpoint": sound["logs/access/checkpoint"]}),
            1,
            None,
        ),
        "a folder that is no log's": (signed_of_several(sound | strange), 1, None),
        "a list that leaves a log out": (signed_of_several(sound, logs={"access": told["access"]}), 1, None),
        "a list with another count of one log": (
            signed_of_several(sound, logs=told | {"access": told["access"] | {"entries": 3}}),
            1,
            None,
        ),
        "a list with another origin": (
            signed_of_several(sound, logs=told | {"access": told["access"] | {"log": KEY.name}}),
            1,
            None,
        ),
        "a list of one log": (signed_of_several(sound, logs=None, size=SIZE), 1, None),
        "the stamped head of another tree": (signed_of_several(sound | stamp), 1, None),
    }


def signed(files: Files, *, secret: Ed25519PrivateKey = SIGNER, **changes: Any) -> Files:
    """The same with the signed list of files."""
    claims = {
        "entries": files["entries.jsonl"].count(b"\n"),
        "export": "exp_" + "00" * 16,
        "files": {name: sha256(raw).hexdigest() for name, raw in files.items()},
        "made_at": "2026-11-01T00:00:00Z",
        "size": SIZE,
        "v": 1,
    } | changes
    key = secret.public_key().public_bytes_raw()
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": encoded(key)}
    head = line_of({"alg": "Ed25519", "jwk": jwk, "kid": thumbprint(key), "typ": "evidence-bundle+jwt"})
    payload = line_of(claims)
    text = f"{encoded(head)}.{encoded(payload)}"
    jws = f"{text}.{encoded(secret.sign(text.encode()))}"
    return {**files, "manifest.json": payload, "manifest.jws": jws.encode()}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def zipped(files: Files, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as held:
        for name, raw in files.items():
            held.writestr(zipfile.ZipInfo(name), raw, zipfile.ZIP_DEFLATED)
    return target


def unpacked(files: Files, target: Path) -> Path:
    target.mkdir()
    for name, raw in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(raw)
    return target


def tlv(tag: int, *parts: bytes) -> bytes:
    raw = b"".join(parts)
    size = bytes([len(raw)]) if len(raw) < 128 else b"\x82" + len(raw).to_bytes(2, "big")
    return bytes([tag]) + size + raw


def a_stamp(note: bytes, *, granted: int = 0, moment: bytes = b"20261101120000Z", octets: int = 4) -> bytes:
    """What a time-stamp authority answers (RFC 3161), as far as verifiers read it; it is signed by nobody."""
    sha, policy = bytes.fromhex("608648016503040201"), bytes.fromhex("2a0304")
    imprint = tlv(0x30, tlv(0x30, tlv(6, sha), tlv(5)), tlv(4, sha256(note).digest()))
    info = tlv(0x30, tlv(2, b"\1"), tlv(6, policy), imprint, tlv(2, b"\7"), tlv(0x18, moment))
    held = tlv(octets, tlv(4, info) if octets == 0x24 else info)
    wrapped = tlv(0x30, tlv(6, bytes.fromhex("2a864886f70d0109100104")), tlv(0xA0, held))
    data = tlv(0x30, tlv(2, b"\3"), tlv(0x31, tlv(0x30, tlv(6, sha))), wrapped, tlv(0x31))
    token = tlv(0x30, tlv(6, bytes.fromhex("2a864886f70d010702")), tlv(0xA0, data))
    return tlv(0x30, tlv(0x30, tlv(2, bytes([granted]))), token)


def stamped(files: Files, size: int, **changes: bytes) -> Files:
    """The files with a stamped head of that size."""
    tiles = grow(0, {}, [leaf_hash(an_entry(number)[0]) for number in range(max(size, SIZE))])
    note = Checkpoint(KEY.name, size, root(size, tiles)).sign(KEY, SECRET.sign)
    proof = prove(consistency_plan(*sorted((size, SIZE))), TileReader(tiles))
    parts = {
        "checkpoint": note,
        "timestamp.tsr": a_stamp(changes.get("checkpoint", note)),
        "consistency": b"".join(base64.b64encode(value) + b"\n" for value in proof),
    } | changes
    return files | {f"stamped/{name}": raw for name, raw in parts.items()}


def stamp_damages(sound: Files) -> dict[str, tuple[Files, int, int | None]]:
    """Bundles with stamps, sound and not: each signed as it is."""
    note = Checkpoint("another/log", 300, bytes(32)).sign(KEY._replace(name="another/log"), SECRET.sign)
    fork = Checkpoint(KEY.name, 300, bytes(32)).sign(KEY, SECRET.sign)
    whole = a_stamp(stamped(sound, 300)["stamped/checkpoint"])
    parts = {
        name: {"timestamp.tsr": raw}
        for name, raw in {
            "a stamp of something else": a_stamp(b"else"),
            "a stamp that was not granted": a_stamp(b"", granted=2),
            "half a stamp": whole[: len(whole) // 2],
            "no stamp at all": b"",
            "a stamp at no time": a_stamp(b"", moment=b"2026-11-01"),
        }.items()
    }
    parts["a stamped head of another log"] = {"checkpoint": note}
    parts["a stamped head of another history"] = {"checkpoint": fork}
    parts["a stamped head without its proof"] = {"consistency": b""}
    parts["a proof of the stamped head that is too long"] = {"consistency": base64.b64encode(bytes(32)) + b"\n"}
    found = {name: (signed(stamped(sound, 300, **changes)), 1, None) for name, changes in parts.items()}
    for size in (0, 1, 256, 300, SIZE, 1_000):
        found[f"a stamped head of size {size}"] = (signed(stamped(sound, size)), 0, None)
    again = a_stamp(stamped(sound, 300)["stamped/checkpoint"], octets=0x24)
    found["a stamp in pieces"] = (signed(stamped(sound, 300, **{"timestamp.tsr": again})), 0, None)
    return found


def damages() -> dict[str, tuple[Files, int, int | None]]:
    """Damaged bundles, by what was done: their files, the exit code and the first bad index.

    Those that change an entry or a proof are signed anew, as a thief of the bundle's signing key would.
    """
    sound = some_files()
    entries, proofs = sound["entries.jsonl"].splitlines(), sound["proofs.jsonl"].splitlines()
    openings = [json.loads(line) for line in sound["openings.jsonl"].splitlines()]

    def anew(**changed: bytes) -> Files:
        return signed(sound | {f"{name}.jsonl": raw for name, raw in changed.items()})

    forged = entries.copy()
    forged[5] = forged[5].replace(b"access.permitted", b"access.denied")
    swapped = [entries[1], entries[0], *entries[2:]]
    moved = [dict(opening) for opening in openings]
    moved[7]["payload"] = moved[9]["payload"]
    other = [dict(opening) for opening in openings]
    other[9] = other[9] | {"r": other[11]["r"], "payload": other[11]["payload"]}
    short = [dict(opening) for opening in openings]
    short[2]["r"] = base64.b64encode(base64.b64decode(short[2]["r"])[:-1]).decode()
    bad_hash = [json.loads(line) for line in proofs]
    bad_hash[3]["hashes"][0] = base64.b64encode(bytes(32)).decode()
    empty_hash = [json.loads(line) for line in proofs]
    empty_hash[3]["hashes"][0] = ""
    misplaced = [json.loads(line) for line in proofs]
    misplaced[0]["index"] = 1
    return {
        "sound": (signed(sound), 0, None),
        "an entry changed": (anew(entries=lines_of(forged)), 1, SHOWN[5]),
        "two entries swapped": (anew(entries=lines_of(swapped)), 1, SHOWN[0]),
        "the first entry gone": (anew(entries=lines_of(entries[1:])), 1, SHOWN[0]),
        "the last entry gone": (anew(entries=lines_of(entries[:-1])), 1, None),
        "an entry doubled": (anew(entries=lines_of([*entries[:4], *entries[3:]])), 1, SHOWN[4]),
        "another index": (anew(proofs=lines_of(misplaced)), 1, 1),
        "a hash of a proof changed": (anew(proofs=lines_of(bad_hash)), 1, SHOWN[3]),
        "a hash of no bytes": (anew(proofs=lines_of(empty_hash)), 1, SHOWN[3]),
        "a proof gone": (anew(proofs=lines_of(proofs[:-1])), 1, SHOWN[-2]),
        "a payload changed": (anew(openings=lines_of(moved)), 1, SHOWN[3]),
        "the opening of another entry": (anew(openings=lines_of(other)), 1, SHOWN[4]),
        "a short key of a commitment": (anew(openings=lines_of(short)), 1, SHOWN[1]),
        "an opening of no entry": (anew(openings=lines_of([*openings, openings[0]])), 1, None),
        "an opening kept back": (anew(openings=lines_of(openings[1:])), 0, None),
        "entry and proof kept back, signed again": (
            signed(
                sound
                | {
                    "entries.jsonl": lines_of(entries[:-1]),
                    "proofs.jsonl": lines_of(proofs[:-1]),
                    "openings.jsonl": lines_of(openings[:-2]),
                }
            ),
            0,
            None,
        ),
        "entry and proof kept back": (
            signed(sound)
            | {
                "entries.jsonl": lines_of(entries[:-1]),
                "proofs.jsonl": lines_of(proofs[:-1]),
                "openings.jsonl": lines_of(openings[:-2]),
            },
            1,
            None,
        ),
        "the reading instructions changed": (signed(sound) | {"README.txt": b"trust me\n"}, 1, None),
        "another count": (signed(sound, entries=3), 1, None),
        "no list of files": (sound, 1, None),
        "a strange file": (signed(sound) | {"notes.txt": b"hello"}, 2, None),
        "a list that says otherwise": (signed(sound) | {"manifest.json": b"{}"}, 1, None),
        "no checkpoint": ({name: raw for name, raw in signed(sound).items() if name != "checkpoint"}, 1, None),
        "a checkpoint cut short": (signed(sound) | {"checkpoint": sound["checkpoint"][:-9]}, 1, None),
        **stamp_damages(sound),
        **damages_of_several(),
    }
