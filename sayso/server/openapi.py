"""`openapi.yaml`: what the routes say of themselves, with what holds for all of them added. The routes are the source.

Written by `python -m sayso.server.openapi` or `sayso openapi`; a test compares the committed file with this.
"""

import sys
from functools import cache
from typing import Any

import msgspec
import yaml
from litestar import Litestar

from sayso import __version__
from sayso.server.callers.auth import EVERYONE, OPERATOR, POLICY, UNDER_ADMIN
from sayso.server.problems import Problem

Json = dict[str, Any]

_TAGS = {
    "Consent": "What people chose, recorded and proven.",
    "People": "Who is meant, where they stand, and the facts that decide about them.",
    "Decisions": "May I? AuthZEN 1.0, and audiences.",
    "Vault": "Identity data as tokens.",
    "Rights": "Requests of people under the law.",
    "Audit": "The log, for those who may read it.",
    "Log": "The log as C2SP tlog-tiles, for those who mirror it.",
    "Sites": "The banner.",
    "Administration": "Keys and the manifest.",
    "Operator": "Through the local socket of the data folder only.",
    "Keys": "Public keys and signals at well-known addresses.",
    "Health": "For load balancers and monitoring.",
}

_PROBLEMS = {
    "400": "The request is not valid.",
    "401": "No credential, or one that does not hold.",
    "403": "The caller is known and may not.",
    "404": "Nothing of that name is visible to this caller.",
    "409": "It contradicts what stands.",
    "413": "More bytes or items than this call takes.",
    "422": "An Idempotency-Key was used with another body.",
    "429": "Too many requests; see Retry-After.",
    "503": "Not now; nothing was done. See Retry-After.",
}


def specification(app: Litestar) -> Json:
    """The OpenAPI 3.1 document of the app, as plain values."""
    raw = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema(), enc_hook=str))
    document: Json = raw
    document["info"] = {
        "title": "Sayso",
        "version": __version__,
        "description": "Consent registry, policy engine, vault and audit log. "
        "Errors are problem documents (RFC 9457), AuthZEN's are strings.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    document["servers"] = [{"url": "/"}]
    document["tags"] = [{"name": name, "description": text} for name, text in _TAGS.items()]
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "An API key: sk_…"}}
    components.setdefault("schemas", {})["Problem"] = _schema(Problem)
    for path, method, handler in _handlers(app):
        operation = document["paths"].get(path, {}).get(method)
        if operation is not None:
            _complete(operation, handler, path, components["schemas"])
    return _sorted(document)


@cache
def described() -> Json:
    """The OpenAPI document of this program: made when first asked for, which takes a second."""
    from sayso.server.app import create_litestar

    return specification(create_litestar(describing=True))


def text() -> str:
    """The document as YAML, the same bytes every time."""
    return yaml.dump(described(), sort_keys=False, allow_unicode=True, width=120, Dumper=_Dumper)


def _complete(operation: Json, handler: Any, path: str, schemas: Json) -> None:
    """What holds for every operation: who may call it, and how it fails."""
    admits = handler.opt.get("admits", ())
    operation["summary"], _, rest = " ".join((handler.fn.__doc__ or "").split()).partition(". ")
    operation["summary"] = operation["summary"].rstrip(".")
    operation.pop("description", None)
    if rest:
        operation["description"] = rest
    operation["x-admits"] = _admitted(admits)
    if EVERYONE in admits:
        operation["security"] = []
    else:
        operation["security"] = [{"key": []}]
    body = handler.opt.get("body")
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _schema(body, schemas)}},
        }
    responses = operation["responses"]
    for status in _statuses(operation, admits, path):
        content = (
            {"application/json": {"schema": {"type": "string"}}}
            if path.startswith("/access/v1/")
            else {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        )
        responses[status] = {"description": _PROBLEMS[status], "content": content}
    operation["responses"] = {status: responses[status] for status in sorted(responses)}
    if operation["responses"].keys() & {"201"}:
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same request sent twice is done once, within 24 hours.",
                "schema": {"type": "string", "maxLength": 255},
            }
        )


def _statuses(operation: Json, admits: tuple[str, ...], path: str) -> list[str]:
    found = ["503"]
    if EVERYONE not in admits:
        found += ["401", "403"]
    if "requestBody" in operation or operation.get("parameters"):
        found.append("400")
    if "requestBody" in operation:
        found += ["409", "413"]
    if "{" in path:
        found.append("404")
    if "201" in operation["responses"]:
        found.append("422")
    if "/sites/" in path:
        found += ["429", "403"]
    return sorted(set(found))


def _admitted(admits: tuple[str, ...]) -> list[str]:
    roles = set(admits)
    if roles & UNDER_ADMIN:
        roles.add("admin")
    names = {POLICY: "any role of the manifest", OPERATOR: "local operator"}
    return sorted(names.get(role, role) for role in roles)


def _handlers(app: Litestar) -> list[tuple[str, str, Any]]:
    found = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            for method in getattr(handler, "http_methods", ()):
                found.append((route.path_format, str(method).lower(), handler))
    return found


def _schema(kind: type[Any], schemas: Json | None = None) -> Json:
    """A Struct's schema by msgspec itself; what it refers to goes into `schemas`."""
    (out,), parts = msgspec.json.schema_components([kind], ref_template="#/components/schemas/{name}")
    if schemas is None:
        found: Json = parts[kind.__name__]
        return found
    for name, part in parts.items():
        schemas.setdefault(name, part)
    return out


def _sorted(document: Json) -> Json:
    """Members in a fixed order: the document's own, paths and schemas by name."""
    first = ("openapi", "info", "servers", "tags", "paths", "components")
    ordered = {name: document[name] for name in first if name in document}
    ordered["paths"] = {path: document["paths"][path] for path in sorted(document["paths"])}
    components = ordered["components"]
    ordered["components"] = {name: dict(sorted(components[name].items())) for name in sorted(components)}
    return ordered


class _Dumper(yaml.SafeDumper):
    """YAML without anchors: a document that is read by people."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def main() -> None:
    """Print the document."""
    sys.stdout.write(text())


if __name__ == "__main__":
    main()
