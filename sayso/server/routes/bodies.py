"""Strict bodies: Litestar would read `"3"` as 3 and repeat what it could not read; this does neither.

Set once for the whole app. It keeps `data: SomeStruct` in the handlers' signatures, so OpenAPI sees the Struct.
"""

from collections.abc import Generator
from typing import Any, ClassVar

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.dto import AbstractDTO, DTOFieldDefinition
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from sayso.kernel import Invalid


class UnsupportedMediaType(Invalid):
    """The body says that it is something other than JSON."""


class StrictBody(AbstractDTO[Any]):
    """Decodes a JSON body with msgspec's strict rules into the handler's `data` type."""

    _decoders: ClassVar[dict[str, msgspec.json.Decoder[Any]]] = {}

    @classmethod
    def create_for_field_definition(
        cls, field_definition: FieldDefinition, handler_id: str, backend_cls: Any = None
    ) -> None:
        cls._decoders[handler_id] = decoder(field_definition.annotation)

    def decode_bytes(self, value: bytes) -> Any:
        connection: ASGIConnection[Any, Any, Any, Any] = self.asgi_connection
        _demand_json(connection)
        return self._decoders[connection.route_handler.handler_id].decode(value)

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any
    ) -> Reference | Schema:
        schema: Reference | Schema = schema_creator.for_field_definition(field_definition)
        return schema

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[DTOFieldDefinition, None, None]:
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        return False


def decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    """The decoder of one body type, made once."""
    return msgspec.json.Decoder(kind)


async def json_body(request: Request[Any, Any, Any]) -> bytes:
    """The bytes of a JSON body, for routes that decode it themselves."""
    _demand_json(request)
    return await request.body()


def _demand_json(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    kind = connection.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMediaType("unsupported-media-type", "A body here is application/json.")


def documented(kind: type[Any]) -> dict[str, Any]:
    """For `opt` of a route that reads its body by itself: what OpenAPI says it takes."""
    return {"body": kind}
