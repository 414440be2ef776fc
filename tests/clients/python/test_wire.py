"""The structs have the members that Sayso's description has, and the client needs nothing of the server."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from sayso_client import feed, plans, structs

from tests.source import PACKAGES, ROOT, imported_modules, parsed, python_files

SCHEMAS: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))["components"]["schemas"]
CLIENT = Path("clients") / "python" / "sayso_client"

OTHER_NAMES = {"Identifier": "IdentifierBody", "WireObligation": "Obligation", "Told": "feed_cloudevents_Told"}
OURS = {"Plan"}
"""What is made here of what came over the wire."""

ASKED_FOR_BY_US = {"Several": {"subject", "action", "resource", "context"}}
"""Members of questions that this client never sends: it repeats them in each question instead."""

STRUCTS = sorted(
    (
        each
        for module in (structs, feed, plans)
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, msgspec.Struct) and each.__module__ == module.__name__ and each.__name__ not in OURS
    ),
    key=lambda each: each.__name__,
)


def schema_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    name = OTHER_NAMES.get(struct.__name__, struct.__name__)
    assert name in SCHEMAS, f"openapi.yaml describes no {name}"
    schema: dict[str, Any] = SCHEMAS[name]
    return schema


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_a_struct_has_the_members_that_are_described(struct: type[msgspec.Struct]) -> None:
    schema = schema_of(struct)
    ours = {field.encode_name for field in msgspec.structs.fields(struct)}
    tag = struct.__struct_config__.tag_field
    described = set(schema["properties"]) - ({tag} if tag else set()) - ASKED_FOR_BY_US.get(struct.__name__, set())
    assert ours == described


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_what_is_demanded_is_what_is_promised(struct: type[msgspec.Struct]) -> None:
    """A question without what is required would be refused; an answer without what is not promised must be readable."""
    schema = schema_of(struct)
    required = set(schema.get("required", ())) - {struct.__struct_config__.tag_field}
    ours = {field.encode_name for field in msgspec.structs.fields(struct) if field.required}
    sent = struct.__struct_config__.omit_defaults
    assert required <= ours if sent else ours - required <= {"permitted", "evaluations"}


def test_importing_the_client_imports_nothing_of_the_server() -> None:
    script = (
        "import sys, sayso_client, sayso_client.litestar, sayso_client.starlette, sayso_client.sqlalchemy;"
        f"found = {{name.partition('.')[0] for name in sys.modules}} & {set(PACKAGES)!r};"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-I", "-c", script], check=True)


def test_the_client_alone_needs_an_http_library_and_msgspec() -> None:
    script = (
        "import sys, sayso_client;"
        "found = {name.partition('.')[0] for name in sys.modules} & {'litestar', 'starlette', 'fastapi', 'sqlalchemy'};"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-I", "-c", script], check=True)
    with_extras = {"litestar.py": "litestar", "starlette.py": "starlette", "sqlalchemy.py": "sqlalchemy"}
    for path in python_files(str(CLIENT)):
        used = {module.partition(".")[0] for module in imported_modules(parsed(path))} - sys.stdlib_module_names
        assert used <= {"sayso_client", "httpx", "msgspec", with_extras.get(path.name)}, path
