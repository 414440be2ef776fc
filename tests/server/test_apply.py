"""`sayso apply`: sections become exactly what the files say, or nothing changes."""

import pytest

from tests.server.worlds import MANIFEST, World

WHOLE = MANIFEST.read_text("utf-8")


def only(section: str) -> str:
    """One section of the smallest manifest as a file of its own."""
    lines = WHOLE.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{section}:"))
    rest = lines[start + 1 :]
    end = next((number for number, line in enumerate(rest) if line and not line[0].isspace()), len(rest))
    return "\n".join([lines[start], *rest[:end]]) + "\n"


async def version(world: World) -> int:
    found: int = (await world.admin.get("/v1/manifest")).json()["version"]
    return found


async def test_applying_twice_makes_one_version(world: World) -> None:
    first = await world.apply(WHOLE)
    assert (first.status_code, first.json()["status"], first.json()["version"]) == (200, "live", 1)
    again = await world.apply(WHOLE)
    assert (again.json()["version"], again.json()["changes"]) == (1, [])
    assert await version(world) == 1


async def test_a_plan_changes_nothing(world: World) -> None:
    planned = await world.apply(WHOLE, dry_run=True)
    assert planned.json()["status"] == "planned"
    assert {"section": "purposes", "name": "ads", "change": "added"} in planned.json()["changes"]
    assert await version(world) == 0


async def test_an_absent_section_is_untouched(world: World) -> None:
    await world.smallest()
    rules = only("rules").replace(
        "effect: deny}",
        "effect: deny}\n  - {id: R040, role: support_lead, action: use, category: behaviour, "
        "purpose: ads, effect: allow, basis: consent}",
    )
    changed = await world.apply(rules)
    assert changed.status_code == 200, changed.text
    assert changed.json()["changes"] == [{"section": "rules", "name": "R040", "change": "added"}]
    manifest = (await world.admin.get("/v1/manifest")).json()["manifest"]
    assert set(manifest["purposes"]) == {"ads", "marketing.email", "support"}
    assert len(manifest["rules"]) == 5


async def test_a_section_that_leaves_out_a_live_member_is_refused_by_name(world: World) -> None:
    await world.smallest()
    rules = "\n".join(line for line in only("rules").splitlines() if "R020" not in line)
    refused = await world.apply(rules)
    assert refused.status_code == 400
    assert "'R020'" in refused.json()["problems"][0]["message"]
    assert await version(world) == 1
    pruned = await world.apply(rules, prune=True)
    assert pruned.json()["changes"] == [{"section": "rules", "name": "R020", "change": "removed"}]


async def test_a_pruned_purpose_cannot_be_asked_about_and_its_past_stays(world: World) -> None:
    await world.smallest()
    subject = await world.person()
    await world.choose(subject)
    rules = only("rules").split("\n")[0] + " []\n"
    cut = WHOLE.replace(only("rules"), rules)
    cut = cut.replace(
        only("purposes"), only("purposes").split("  ads:")[0] + "  support:" + only("purposes").split("  support:")[1]
    )
    cut = cut.replace(only("notices"), "notices: {}\n").replace(only("sites"), "sites: {}\n")
    pruned = await world.apply(cut, prune=True, force=True)
    assert pruned.status_code == 200, pruned.text
    assert (await world.choose(subject)).status_code == 400
    history = (await world.admin.get(f"/v1/subjects/{subject}/history")).json()
    assert history["items"][0]["choices"] == {"marketing.email": "granted"}


async def test_a_published_notice_keeps_its_every_byte(world: World) -> None:
    await world.smallest()
    changed = only("notices").replace("only if you say so", "whenever we like")
    refused = await world.apply(changed)
    assert refused.status_code == 400
    assert "published" in refused.json()["problems"][0]["message"]
    raised = await world.apply(changed.replace("version: 1", "version: 2"))
    assert raised.status_code == 200, raised.text


WRONG = [
    ("a section that does not exist", "purpose: {}\n", 1, "purposes"),
    ("a name given twice", "categories: [a, a]\n", 1, None),
    ("a section given twice", "categories: [a]\ncategories: [b]\n", 2, None),
    (
        "a category that is not declared",
        WHOLE.replace("category: contact.email, index", "category: contact.emial, index"),
        None,
        "contact.email",
    ),
    ("a purpose that is not declared", WHOLE.replace("purpose: support,", "purpose: suport,"), None, "support"),
    (
        "a role that is not declared",
        WHOLE.replace("role: support_agent,", "role: support_agnt,"),
        None,
        "support_agent",
    ),
    ("a notice that is not declared", WHOLE.replace("notice: web}", "notice: wep}"), None, "web"),
    ("an origin that is none", WHOLE.replace("http://127.0.0.1:8080", "http://127.0.0.1:8080/shop"), None, None),
    ("an effect in capitals", WHOLE.replace("effect: deny", "effect: Deny"), None, "deny"),
    ("an allow without a basis", WHOLE.replace("effect: allow, basis: contract", "effect: allow"), None, None),
    ("a list where a name belongs", WHOLE.replace("role: any, action: any", "role: [any], action: any"), None, None),
    (
        "a basis that the law there does not know",
        WHOLE.replace("legal_basis: contract", "legal_basis: {cn: legitimate_interest}"),
        None,
        None,
    ),
    ("an alias", "categories: &a [x]\nspecial_categories: *a\n", None, None),
    ("an alias of oneself", "categories: &a [x, *a]\n", 1, None),
    ("a depth that nobody writes", "categories: " + "[" * 500_000, 1, None),
    ("lists in one line without end", "- " * 500_000, 1, None),
    ("no YAML", "categories: [", 1, None),
    ("no YAML further down", "categories:\n  - a\n b: }\n", 3, None),
    ("a list for a name", "[a]: b\n", 1, None),
    ("two documents", "categories: [a]\n---\nroles: {}\n", 2, None),
    ("a name twice", "categories: [a]\nroles: {}\ncategories: [b]\n", 3, None),
    ("no mapping", "- a\n", 1, None),
]


@pytest.mark.parametrize(("what", "content", "line", "near"), WRONG, ids=[case[0] for case in WRONG])
async def test_what_is_wrong_is_named_with_its_line_and_nothing_changes(
    lite: World, what: str, content: str, line: int | None, near: str | None
) -> None:
    refused = await lite.apply(content)
    assert refused.status_code == 400, refused.text
    problems = refused.json()["problems"]
    assert all(problem["file"] == "test.yaml" and problem["line"] > 0 for problem in problems)
    if line is not None:
        assert problems[0]["line"] == line
    if near is not None:
        assert near in {problem["nearest"] for problem in problems}
    assert await version(lite) == 0


async def test_refused_rules_leave_the_old_ones_deciding(world: World) -> None:
    await world.smallest()
    mailer = await world.key("mailer", "marketing_sender")
    subject = await world.person()
    await world.choose(subject)
    wrong = only("rules").replace("role: marketing_sender, action: use", "role: marketing_sendr, action: use")
    assert (await world.apply(wrong)).status_code == 400
    question = {
        "subject": {"type": "service", "id": "mailer"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": "marketing.email"},
    }
    assert (await mailer.post("/access/v1/evaluation", json=question)).json()["decision"] is True


async def test_a_manifest_is_an_entry(lite: World) -> None:
    await lite.smallest()
    await lite.services.settle()
    types = [entry["type"] for entry in (await lite.admin.get("/v1/audit/entries")).json()["entries"]]
    assert {"server.manifest.applied", "consent.notice.published", "consent.purpose.published"} <= set(types)


async def test_clients_of_the_manifest_need_no_roles_on_the_key(lite: World) -> None:
    await lite.apply(WHOLE + "clients:\n  mailer: {roles: [marketing_sender], default_purpose: marketing.email}\n")
    made = await lite.admin.post("/v1/keys", json={"name": "mailer"})
    assert (made.status_code, made.json()["roles"]) == (201, ["marketing_sender"])
