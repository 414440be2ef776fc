"""Writes `src/types.ts` from `openapi.yaml`: the schemas that the client's calls reach, and nothing else.

`python clients/typescript/write_types.py` writes; `--check` exits with 1 when the file is another than this gives.
"""

import re
import sys
import textwrap
from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).parent
DESCRIPTION: Final = HERE.parent.parent / "openapi.yaml"
TARGET: Final = HERE / "src" / "types.ts"

CALLS: Final = (
    ("/v1/subjects/resolve", "post"),
    ("/v1/consents", "post"),
    ("/v1/subjects/{subject}/withdrawals", "post"),
    ("/v1/subjects/{subject}/consents", "get"),
    ("/access/v1/evaluation", "post"),
    ("/access/v1/evaluations", "post"),
    ("/v1/vault/reveal", "post"),
)

_HEAD: Final = "// Written by write_types.py from openapi.yaml. Do not edit.\n"
_PREFIX: Final = "#/components/schemas/"
_PLAIN: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def generated(description: dict[str, Any]) -> str:
    """The file's text."""
    schemas = description["components"]["schemas"]
    reached: set[str] = set()
    for path, method in CALLS:
        call = description["paths"][path][method]
        _follow([call.get("requestBody"), call["responses"]], schemas, reached)
    found = [f"{_comment(schemas[name])}export {_declaration(name, schemas[name])}" for name in sorted(reached)]
    return _HEAD + "\n" + "\n".join(found)


def _follow(node: Any, schemas: dict[str, Any], found: set[str]) -> None:
    if isinstance(node, list):
        for each in node:
            _follow(each, schemas, found)
    elif isinstance(node, dict):
        name = str(node.get("$ref", "")).removeprefix(_PREFIX)
        if name in schemas and name not in found:
            found.add(name)
            _follow(schemas[name], schemas, found)
        for each in node.values():
            _follow(each, schemas, found)


def _declaration(name: str, schema: dict[str, Any]) -> str:
    if schema.get("type") != "object" or "properties" not in schema:
        return f"type {name} = {_type(schema)};\n"
    required = set(schema.get("required", ()))
    lines = [f"interface {name} {{"]
    for member, each in schema["properties"].items():
        key = member if re.fullmatch(r"[A-Za-z_$][\w$]*", member) else f'"{member}"'
        lines.append(f"  {key}{'' if member in required else '?'}: {_type(each)};")
    if schema.get("additionalProperties") is True or name == "Problem":
        lines.append("  [fact: string]: unknown;")
    return "\n".join([*lines, "}\n"])


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_PREFIX)
    if "enum" in schema:
        return " | ".join(f'"{each}"' if isinstance(each, str) else str(each).lower() for each in schema["enum"])
    if "const" in schema:
        return f'"{schema["const"]}"'
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_type(each) for each in schema[several]))
    if isinstance(schema.get("type"), list):
        return " | ".join(_PLAIN[each] for each in schema["type"])
    if schema.get("type") == "array":
        inner = _type(schema.get("items", {}))
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"Record<string, {_type(inner)}>" if isinstance(inner, dict) else "Record<string, unknown>"
    return _PLAIN.get(schema.get("type", ""), "unknown")


def _comment(schema: dict[str, Any]) -> str:
    text = " ".join(str(schema.get("description", "")).split())
    if not text:
        return ""
    lines = textwrap.wrap(text, 116)
    return f"/** {text} */\n" if len(lines) == 1 else "/**\n" + "".join(f" * {line}\n" for line in lines) + " */\n"


def main() -> int:
    text = generated(yaml.safe_load(DESCRIPTION.read_text("utf-8")))
    if "--check" in sys.argv:
        return int(TARGET.read_text("utf-8") != text)
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
