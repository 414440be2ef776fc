"""Who may call what: every route of the app against every role there is."""

from typing import Any

import pytest

from sayso.server.app import create_litestar
from sayso.server.callers.auth import BUILT_IN, EVERYONE, OPERATOR, POLICY, UNDER_ADMIN, UNGIVEN
from sayso.server.routes import all_handlers
from tests.server.worlds import World

KEYS = sorted(BUILT_IN - UNGIVEN)


def every_handler() -> list[tuple[str, str, Any]]:
    """(path, method, handler) of every route that is served; the framework's own OPTIONS are left out."""
    app = create_litestar(describing=True)
    served = {id(handler.fn) for handler in all_handlers()}
    own = ("/schema",)  # of the describing app alone; the test below holds that it is not served
    return [
        (route.path_format, str(method), handler)
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods
        if not route.path.startswith(own) and (str(method) != "OPTIONS" or id(handler.fn) in served)
    ]


HANDLERS = every_handler()
GATED = [(path, method, handler) for path, method, handler in HANDLERS if EVERYONE not in handler.opt.get("admits", ())]


def test_every_route_is_gated_or_says_why_it_is_public() -> None:
    for path, method, handler in HANDLERS:
        admits = handler.opt.get("admits")
        assert admits, f"{method} {path} says nothing about who may call it"
        assert set(admits) <= {*BUILT_IN, OPERATOR, POLICY, EVERYONE}, path
        if EVERYONE in admits:
            assert admits == (EVERYONE,), path
            assert len(handler.opt["why"]) > 10, f"{method} {path} does not say why it is public"


def test_every_route_has_a_name_of_its_own() -> None:
    names = [handler.operation_id for _, _, handler in HANDLERS]
    assert all(names)
    assert len(names) == len(set(names))


def admitted(handler: Any, role: str) -> bool:
    wanted = set(handler.opt["admits"])
    if wanted & UNDER_ADMIN:
        wanted.add("admin")
    return role in wanted or (POLICY in wanted and role not in BUILT_IN)


def address(path: str) -> str:
    """A route's path with something in each place, without anything that exists."""
    for name, value in {
        "subject": "sub_" + "0" * 32,
        "log": "default.main",
        "level": "0",
        "version": "1",
        "number": "000",
        "site": "shop",
    }.items():
        path = path.replace("{" + name + "}", value)
    while "{" in path:
        head, _, rest = path.partition("{")
        path = head + "x" + rest.partition("}")[2]
    return path


async def test_without_a_credential_nothing_gated_opens(lite: World) -> None:
    for path, method, _ in GATED:
        response = await lite.nobody.request(method, address(path), json={})
        assert response.status_code == 401, (method, path, response.text)
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("role", [*KEYS, "marketing_sender"])
async def test_a_role_opens_exactly_the_routes_that_name_it(lite: World, role: str) -> None:
    await lite.smallest()
    client = await lite.key(f"only-{role}", role)
    for path, method, handler in GATED:
        response = await client.request(method, address(path), json={})
        refused = response.status_code == 403 and "role" in response.text
        assert refused != admitted(handler, role), (method, path, role, response.status_code, response.text)
        # Here no mail server is configured, which is told with a 503 of its own.
        fine = response.status_code < 500 or "mail-not-configured" in response.text
        assert fine, (method, path, response.text)


async def test_the_frameworks_own_pages_are_not_served(lite: World) -> None:
    for path in ("/schema", "/schema/openapi.json", "/schema/swagger", "/docs/schema"):
        assert (await lite.admin.get(path)).status_code == 404


async def test_no_key_can_be_a_person_or_the_operator(lite: World) -> None:
    for role in ("self", "overdue", "operator", "everyone", "policy", "nonesuch"):
        response = await lite.admin.post("/v1/keys", json={"name": "x", "roles": [role]})
        assert response.status_code == 400, role
        assert response.json()["type"].endswith("#unknown-role")


async def test_the_operator_header_means_nothing_outside_the_socket(lite: World) -> None:
    response = await lite.nobody.get("/v1/tenants", headers={"sayso-tenant": "default"})
    assert response.status_code == 401
    assert (await lite.admin.get("/v1/tenants", headers={"sayso-tenant": "default"})).status_code == 403
    assert (await lite.operator.get("/v1/tenants")).status_code == 200


async def test_a_scope_narrows_a_key(lite: World) -> None:
    client = await lite.key("narrow", "admin", scopes=["audit.logs"])
    assert (await client.get("/v1/audit/logs")).status_code == 200
    refused = await client.get("/v1/audit/entries")
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("#scope-not-granted")
