"""Cerbos beside Sayso in one run: the same rules, the same questions, alone and fifty at once; and Cedar in process.

`python -m benchmarks.peers.cerbos [rules …]` installs Cerbos from npm into a temporary folder and runs its server. Both
are asked over HTTP from the other core. What is compared differs: Cerbos answers from its rules alone and keeps nothing
(its audit log is off); Sayso also reads the person's state and writes an entry, durable before it answers. Every answer
of a sample must be the same.
"""

import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import cedarpy
import httpx
import yaml

from benchmarks.ceiling import generate
from benchmarks.load import Plan, request
from benchmarks.stage import CONNECTIONS, Stage
from policies.ruleset.trees import ACTIONS
from tests.builders.served import HOST, free_port

PACKAGE = "@cerbos/cerbos-linux-x64@0.55.0"
BATCH = 50
SECONDS = 3.0
ROUNDS = 3
PEOPLE = 500
QUESTIONS = 2_000


def _paths(letters: str, widths: Sequence[int], above: str = "") -> list[str]:
    if not widths:
        return []
    found: list[str] = []
    for place in range(widths[0]):
        name = f"{above}{'.' if above else ''}{letters[0]}{place}"
        found += [name, *_paths(letters[1:], widths[1:], name)]
    return found


ROLES = _paths("ab", (3, 4))
CATEGORIES = _paths("cd", (8, 5))
PURPOSES = _paths("pqr", (5, 4, 3))


def _leaf(names: Sequence[str], chance: random.Random, below: str = "") -> str:
    inside = [name for name in names if name == below or name.startswith(f"{below}." if below else "")]
    return chance.choice([name for name in inside if not any(other.startswith(f"{name}.") for other in inside)])


class Rule(NamedTuple):
    id: str
    role: str
    action: str
    category: str
    purpose: str
    effect: str


class Asked(NamedTuple):
    role: str
    action: str
    category: str
    purpose: str


def rules(count: int) -> list[Rule]:
    """Seven in eight allow; half of the denies are carved out of an allow, one level down or more."""
    chance, found, allows = random.Random(7), [], []
    for number in range(count):
        names = [chance.choice(pool) for pool in (ROLES, ACTIONS, CATEGORIES, PURPOSES)]
        effect = "deny" if allows and chance.random() < 0.125 else "allow"
        if effect == "deny" and chance.random() < 0.5:
            allow = chance.choice(allows)
            names = [allow.role, allow.action, _leaf(CATEGORIES, chance, allow.category), allow.purpose]
        found.append(Rule(f"R{number}", *names, effect))
        if effect == "allow":
            allows.append(found[-1])
    return found


def questions(written: Sequence[Rule]) -> list[Asked]:
    """By turns below a rule and anything at all; the purpose is always one that can be acted for."""
    chance = random.Random(11)
    found = []
    for turn in range(QUESTIONS):
        rule = chance.choice(written)
        if turn % 2:
            below = (
                _leaf(pool, chance, name) for pool, name in ((CATEGORIES, rule.category), (PURPOSES, rule.purpose))
            )
            found.append(Asked(_leaf(ROLES, chance, rule.role), rule.action, *below))
        else:
            names = (_leaf(pool, chance) for pool in (CATEGORIES, PURPOSES))
            found.append(Asked(_leaf(ROLES, chance), chance.choice(ACTIONS), *names))
    return found


class Figures(NamedTuple):
    """Decisions a second: asked one by one, and fifty in a request; and the answers to the first questions."""

    alone: float
    together: float
    answers: list[bool]


def main() -> None:
    """Print the ratios for each number of rules."""
    for count in [int(each) for each in sys.argv[1:]] or [10, 10_000]:
        written = rules(count)
        asked = questions(written)
        theirs, ours, embedded = cerbos(written, asked), sayso(written, asked), cedar(written, asked)
        agree = sum(one == other for one, other in zip(theirs.answers, ours.answers, strict=True))
        print(f"\n{count:,} rules, {agree} of {len(ours.answers)} answers equal, {sum(ours.answers)} of them yes")
        for name in ("alone", "together"):
            one, other = getattr(theirs, name), getattr(ours, name)
            print(f"  {name:9} Cerbos {one:9,.0f}/s   Sayso {other:9,.0f}/s   {other / one:5.1f} times")
        print(f"  in process: Cedar {embedded:,.0f}/s one by one, without people, entries or HTTP")


# Cerbos


def cerbos(written: Sequence[Rule], asked: Sequence[Asked]) -> Figures:
    """Its own server on policies that say the same."""
    with _cerbos(written) as port:

        def check(*some: Asked) -> bytes:
            return request("POST", "/api/check/resources", HOST, port, json.dumps(_checks(some)).encode())

        answers = [
            each["actions"][asked[place].action] == "EFFECT_ALLOW"
            for place in range(300)
            for each in httpx.post(f"http://{HOST}:{port}/api/check/resources", json=_checks(asked[place : place + 1]))
            .raise_for_status()
            .json()["results"]
        ]
        return Figures(_rate(port, [check(one) for one in asked]), _rate(port, _fifties(asked, check)) * BATCH, answers)


@contextmanager
def _cerbos(written: Sequence[Rule]) -> Iterator[int]:
    folder = Path(tempfile.mkdtemp(prefix="peer-"))
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", PACKAGE], cwd=folder, check=True)
    program = next((folder / "node_modules/@cerbos").glob("*/cerbos*"))
    policies, port = folder / "policies", free_port()
    policies.mkdir()
    for top in (name for name in CATEGORIES if "." not in name):
        (policies / f"{top}.yaml").write_text(json.dumps(_policy(top, written)), "utf-8")
    limits = {"maxActionsPerResource": 50, "maxResourcesPerRequest": BATCH}
    settings = {
        "server": {
            "httpListenAddr": f"{HOST}:{port}",
            "grpcListenAddr": f"{HOST}:{free_port()}",
            "requestLimits": limits,
        },
        "storage": {"driver": "disk", "disk": {"directory": str(policies), "watchForChanges": False}},
        "telemetry": {"disabled": True},
        "audit": {"enabled": False},
    }
    (folder / "conf.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    process = subprocess.Popen(
        [str(program), "server", f"--config={folder / 'conf.yaml'}", "--log-level=ERROR"], stdout=subprocess.DEVNULL
    )
    try:
        _await_health(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _await_health(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"http://{HOST}:{port}/_cerbos/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit("Cerbos did not start")


def _policy(top: str, written: Sequence[Rule]) -> dict[str, Any]:
    """One resource policy for each category at the top, since a policy of theirs is about one kind of resource."""

    def below(what: str, name: str) -> str:
        return f'(hierarchy({what}) == hierarchy("{name}") || hierarchy("{name}").ancestorOf(hierarchy({what})))'

    def reach(rule: Rule, what: str, name: str) -> str:
        if rule.effect == "allow":
            return below(what, name)
        return f'({below(what, name)} || hierarchy({what}).ancestorOf(hierarchy("{name}")))'

    told = [
        {
            "name": rule.id,
            "actions": [rule.action],
            "effect": f"EFFECT_{rule.effect.upper()}",
            "roles": [role.replace(".", "_") for role in ROLES if f"{role}.".startswith(f"{rule.role}.")],
            "condition": {
                "match": {
                    "all": {
                        "of": [
                            {"expr": reach(rule, "R.attr.category", rule.category)},
                            {"expr": reach(rule, "R.attr.purpose", rule.purpose)},
                        ]
                    }
                }
            },
        }
        for rule in written
        if rule.category.split(".")[0] == top
    ]
    return {
        "apiVersion": "api.cerbos.dev/v1",
        "resourcePolicy": {"resource": top, "version": "default", "rules": told},
    }


def _checks(some: Sequence[Asked]) -> dict[str, Any]:
    """Questions of one role as they are asked there. Roles inherit nothing there, and a deny of one of a caller's roles
    yields to the allow of another: so each rule names every role that it reaches, and the caller has one.
    """
    return {
        "requestId": "q",
        "principal": {"id": "svc", "roles": [some[0].role.replace(".", "_")]},
        "resources": [
            {
                "actions": [one.action],
                "resource": {
                    "kind": one.category.split(".")[0],
                    "id": str(place),
                    "attr": {"category": one.category, "purpose": one.purpose},
                },
            }
            for place, one in enumerate(some)
        ],
    }


# Sayso


def sayso(written: Sequence[Rule], asked: Sequence[Asked]) -> Figures:
    """A served brand on the embedded database, whose people all have a contract: so the rules alone decide."""
    with Stage("sqlite") as stage:
        manifest = stage.folder / "rules.yaml"
        manifest.write_text(json.dumps(_manifest(written)), "utf-8")
        stage.server.at("apply", str(manifest), "--prune")
        keys = {role: stage.server.key(f"svc-{role.replace('.', '-')}", role) for role in ROLES}
        people = _with_contracts(stage)
        chance = random.Random(3)

        def evaluation(one: Asked) -> bytes:
            return stage.post("/access/v1/evaluation", _evaluation(one, chance.choice(people)), keys[one.role])

        def evaluations(*some: Asked) -> bytes:
            body = {"evaluations": [_evaluation(one, chance.choice(people)) for one in some]}
            return stage.post("/access/v1/evaluations", body, keys[some[0].role])

        answers = []
        for one in asked[:300]:
            with stage.server.client(keys[one.role]) as client:
                answer = client.post("/access/v1/evaluation", json=_evaluation(one, people[0])).raise_for_status()
                answers.append(answer.json()["decision"])
        port = stage.server.port
        return Figures(
            _rate(port, [evaluation(one) for one in asked]), _rate(port, _fifties(asked, evaluations)) * BATCH, answers
        )


def _manifest(written: Sequence[Rule]) -> dict[str, Any]:
    tops = [name for name in CATEGORIES if "." not in name]
    return {
        "categories": CATEGORIES,
        "purposes": {
            name: {"title": {"en": name, "zh-CN": name}, "legal_basis": "contract", "categories": tops}
            for name in PURPOSES
        },
        "notices": {},
        "collections": {},
        "roles": {name: [name.rpartition(".")[0]] if "." in name else [] for name in ROLES},
        "rules": [rule._asdict() | ({"basis": "contract"} if rule.effect == "allow" else {}) for rule in written],
    }


def _with_contracts(stage: Stage) -> list[str]:
    people = []
    with stage.server.admin as admin:
        for number in range(PEOPLE):
            body = {"identifier": {"type": "customer_id", "value": f"c-{number}"}, "create": True}
            people.append(admin.post("/v1/subjects/resolve", json=body).raise_for_status().json()["subject"])
            admin.put(f"/v1/subjects/{people[-1]}/relations/o-1", json={"kind": "contract"}).raise_for_status()
    return people


def _evaluation(one: Asked, person: str) -> dict[str, Any]:
    return {
        "subject": {"type": "service", "id": f"svc-{one.role.replace('.', '-')}"},
        "action": {"name": one.action},
        "resource": {"type": one.category, "id": person},
        "context": {"purpose": one.purpose},
    }


# Cedar


def cedar(written: Sequence[Rule], asked: Sequence[Asked]) -> float:
    """Questions a second in this process, over policies and entities that were parsed before."""

    def reach(rule: Rule, what: str, kind: str, name: str) -> str:
        up = f' || {kind}::"{name}" in {what}' if rule.effect == "deny" else ""
        return f'({what} in {kind}::"{name}"{up})'

    told = "\n".join(
        f"{'permit' if rule.effect == 'allow' else 'forbid'} "
        f'(principal in Role::"{rule.role}", action == Action::"{rule.action}", resource) when {{ '
        f"{reach(rule, 'resource', 'Category', rule.category)} && "
        f"{reach(rule, 'context.purpose', 'Purpose', rule.purpose)} }};"
        for rule in written
    )
    entities = [
        {"uid": {"type": kind, "id": name}, "attrs": {}, "parents": [{"type": kind, "id": up}] if up else []}
        for kind, names in (("Role", ROLES), ("Category", CATEGORIES), ("Purpose", PURPOSES))
        for name in names
        for up in [name.rpartition(".")[0]]
    ]
    policies = cedarpy.PolicySet.from_str(told)
    known = cedarpy.Entities.from_json_str(json.dumps(entities))
    some = asked[: 2_000 if len(written) <= 1_000 else 100]
    requests = [
        {
            "principal": f'Role::"{one.role}"',
            "action": f'Action::"{one.action}"',
            "resource": f'Category::"{one.category}"',
            "context": {"purpose": {"__entity": {"type": "Purpose", "id": one.purpose}}},
        }
        for one in some
    ]
    started = time.perf_counter()
    for each in requests:
        cedarpy.is_authorized(each, policies, known)
    return len(requests) / (time.perf_counter() - started)


def _fifties(asked: Sequence[Asked], build: Any) -> list[bytes]:
    """Requests of fifty questions of one role each, as a caller would ask them."""
    by_role = {role: [one for one in asked if one.role == role] for role in ROLES}
    return [
        build(*some[first : first + BATCH])
        for some in by_role.values()
        for first in range(0, len(some) - BATCH + 1, BATCH)
    ]


def _rate(port: int, requests: list[bytes]) -> float:
    """Requests answered with 200 a second: the median of some rounds."""

    def once() -> float:
        outcome = generate(Plan(HOST, port, CONNECTIONS, SECONDS, 1.0, requests))
        if bad := {status: count for status, count in outcome.statuses.items() if status != 200}:
            raise SystemExit(f"answered with {bad}")
        return outcome.per_second

    return statistics.median(once() for _ in range(ROUNDS))


if __name__ == "__main__":
    main()
