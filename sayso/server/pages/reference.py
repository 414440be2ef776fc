"""The API reference at `/docs`: our own rendering of `openapi.json`, one page, searchable, no foreign host."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any  # an OpenAPI document is free-form JSON

from msgspec import Struct

from .environment import render
from .frame import Frame

Json = Mapping[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
DEPTH = 4


class Member(Struct, frozen=True, kw_only=True):
    """One line of a body or parameter list; `depth` is its nesting."""

    name: str
    type: str
    required: bool
    text: str = ""
    depth: int = 0
    where: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """One answer of an operation."""

    status: str
    text: str
    members: tuple[Member, ...] = ()


class Operation(Struct, frozen=True, kw_only=True):
    """One operation, ready to print; `anchor` is its address in the page."""

    method: str
    path: str
    anchor: str
    summary: str
    text: str
    deprecated: bool
    parameters: tuple[Member, ...]
    body: tuple[Member, ...]
    answers: tuple[Answer, ...]
    example: str


class Group(Struct, frozen=True, kw_only=True):
    """Operations under one tag."""

    name: str
    text: str
    anchor: str
    operations: tuple[Operation, ...]


class DocsPage(Struct, frozen=True, kw_only=True):
    """The reference. `spec` is the OpenAPI document as read from JSON; `base_url` stands in the examples."""

    frame: Frame
    spec: Json
    base_url: str = "http://127.0.0.1:8080"


def render_docs(page: DocsPage) -> str:
    """The reference page."""
    info = page.spec.get("info", {})
    return render("pages/docs.html", page.frame, page=page, info=info, groups=groups(page.spec, page.base_url))


def groups(spec: Json, base_url: str) -> tuple[Group, ...]:
    """The operations by tag: declared tags first and in their order, then the others as they appear."""
    texts: dict[str, str] = {tag["name"]: tag.get("description", "") for tag in spec.get("tags", ())}
    found: dict[str, list[Operation]] = {name: [] for name in texts}
    for path, item in spec.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                operation = _operation(spec, path, method, item[method], base_url)
                found.setdefault((item[method].get("tags") or ["API"])[0], []).append(operation)
    return tuple(
        Group(name=name, text=texts.get(name, ""), anchor=_anchor(name), operations=tuple(operations))
        for name, operations in found.items()
        if operations
    )


def _operation(spec: Json, path: str, method: str, raw: Json, base_url: str) -> Operation:
    content = raw.get("requestBody", {}).get("content", {})
    media: Json = next(iter(content.values()), {})
    schema = media.get("schema", {})
    return Operation(
        method=method.upper(),
        path=path,
        anchor=_anchor(f"{method} {path}"),
        summary=raw.get("summary", ""),
        text=raw.get("description", ""),
        deprecated=bool(raw.get("deprecated")),
        parameters=tuple(_parameter(spec, parameter) for parameter in raw.get("parameters", ())),
        body=tuple(_members(spec, schema)),
        answers=tuple(_answers(spec, raw.get("responses", {}))),
        example=_curl(spec, method, path, schema, base_url),
    )


def _parameter(spec: Json, raw: Json) -> Member:
    parameter = _resolve(spec, raw)
    return Member(
        name=parameter["name"],
        type=_type(spec, parameter.get("schema", {})),
        required=bool(parameter.get("required")),
        text=parameter.get("description") or parameter.get("schema", {}).get("description", ""),
        where=parameter.get("in", ""),
    )


def _answers(spec: Json, responses: Json) -> Iterator[Answer]:
    """The answers by status. Problem documents all have the same members, so only what is particular is listed."""
    for status, raw in sorted(responses.items()):
        answer = _resolve(spec, raw)
        content: Mapping[str, Json] = answer.get("content", {})
        kind, media = next(iter(content.items()), ("", {}))
        members = () if kind == "application/problem+json" else tuple(_members(spec, media.get("schema", {})))
        yield Answer(status=status, text=answer.get("description", ""), members=members)


def _members(spec: Json, raw: Json, depth: int = 0) -> Iterator[Member]:
    schema = _object(spec, raw)
    if depth == DEPTH:  # recursive schemas end somewhere
        return
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        text = member.get("description") or _resolve(spec, member).get("description", "")
        yield Member(name=name, type=_type(spec, member), required=name in required, text=text, depth=depth)
        yield from _members(spec, member, depth + 1)


def _object(spec: Json, raw: Json) -> Json:
    """The schema whose members are worth listing: behind a reference, a list, or the only choice that is not null."""
    schema = _resolve(spec, raw)
    choices = [choice for choice in _choices(schema) if choice.get("type") != "null"]
    if "properties" not in schema and len(choices) == 1:
        return _object(spec, choices[0])
    if schema.get("type") == "array":
        return _object(spec, schema.get("items", {}))
    return schema


def _choices(schema: Json) -> Sequence[Json]:
    return schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf") or ()


def _type(spec: Json, raw: Json) -> str:
    schema = _resolve(spec, raw)
    if choices := _choices(schema):
        return " | ".join(dict.fromkeys(_type(spec, choice) for choice in choices))
    if values := schema.get("enum"):
        return " | ".join(f'"{value}"' for value in values)
    if "const" in schema:
        return f'"{schema["const"]}"'
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " | ".join(kind)
    if kind == "array":
        return f"[{_type(spec, schema.get('items', {}))}]"
    extra = schema.get("additionalProperties")
    if kind == "object" and isinstance(extra, Mapping) and extra and "properties" not in schema:
        return f"{{name: {_type(spec, extra)}}}"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _resolve(spec: Json, raw: Json) -> Json:
    """Follow `$ref` inside the document (RFC 6901); a reference to elsewhere or to nothing reads as an empty schema."""
    seen = 0
    while "$ref" in raw and seen < DEPTH:
        node: Any = spec
        for step in raw["$ref"].removeprefix("#/").split("/"):
            node = node.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(node, Mapping) else {}
        raw, seen = node, seen + 1
    return raw


def _curl(spec: Json, method: str, path: str, schema: Json, base_url: str) -> str:
    lines = [f"curl -X {method.upper()} {base_url}{path}", '-H "Authorization: Bearer $SAYSO_KEY"']
    if schema:
        members = ", ".join(
            f'"{member.name}": …' for member in _members(spec, schema) if member.depth == 0 and member.required
        )
        lines += ['-H "Content-Type: application/json"', f"-d '{{{members}}}'"]
    return " \\\n  ".join(lines)


def _anchor(text: str) -> str:
    return "-".join("".join(char if char.isalnum() else " " for char in text.lower()).split())
