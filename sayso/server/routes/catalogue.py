"""What people can be asked, as it is published: purposes, notices with every version, and the jurisdictions.

`…/content` gives the very bytes whose SHA-256 records and receipts name, so that a proof needs no other witness.
"""

from functools import partial

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from msgspec import UNSET, Struct, UnsetType

from consent import (
    REGIMES,
    Catalogue,
    Notice,
    Regime,
    Transfer,
    UnpublishedNotice,
)
from sayso.kernel import iso
from sayso.server.call import Call
from sayso.server.routes.gate import admits

_READERS = admits("officer", "auditor", "recorder", "pep", "vault_writer")


class PurposeView(Struct, frozen=True, omit_defaults=True):
    """A purpose as it stands. `default_state` says, per jurisdiction that it names and for `any`, what holds before a
    choice: `off`, `on` (until refused) or `always`.
    """

    purpose: str
    version: int
    revision: int
    title: dict[str, str]
    description: dict[str, str]
    legal_basis: str | dict[str, str]
    default_state: dict[str, str]
    categories: tuple[str, ...]
    published_at: str
    dpv: str = ""
    sources: dict[str, str] = {}
    recipients: tuple[str, ...] = ()
    retention: str | None = None
    storage_locations: tuple[str, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    sensitive: bool = False
    separate_consent: str | None = None
    required_for_service: bool = False
    justification: dict[str, str] = {}
    device_storage: str | None = None
    channels: tuple[str, ...] = ()
    direct_marketing: bool = False
    expires_after: str | None = None
    refusal_valid_for: str | None = None


class NoticeView(Struct, frozen=True):
    """One version of a notice. `stage`: `draft`, `reviewed`, `published`, `superseded`. `material` are the purposes
    about which it asks people again; null where nobody decided. `text_hashes`: SHA-256 of what is shown per locale.
    """

    notice: str
    version: int
    stage: str
    purposes: tuple[str, ...]
    hash: str
    text_hashes: dict[str, str]
    material: tuple[str, ...] | None
    published_at: str | UnsetType = UNSET


class Step(Struct, frozen=True):
    """One step of a notice version: its stage, the content it had, when, and by whom it was applied."""

    version: int
    stage: str
    hash: str
    at: str
    actor: str


@get("/v1/purposes", opt=_READERS, operation_id="catalogue.purposes", tags=["Catalogue"])
async def purposes(call: NamedDependency[Call]) -> list[PurposeView]:
    """Every declared purpose in its present version."""
    catalogue = call.configuration.catalogue
    return [_purpose(catalogue, name) for name, each in catalogue.purposes.items() if not each.implied]


@get("/v1/notices", opt=_READERS, operation_id="catalogue.notices", tags=["Catalogue"])
async def notices(call: NamedDependency[Call]) -> list[NoticeView]:
    """Every version of every declared notice, newest first; a draft stands before the published version."""
    catalogue = call.configuration.catalogue
    names = sorted({*catalogue.notices, *catalogue.drafts})
    return [_notice(catalogue, each) for name in names for each in _versions(catalogue, name)]


@get("/v1/notices/{notice:str}/steps", opt=_READERS, operation_id="catalogue.notice_steps", tags=["Catalogue"])
async def steps(call: NamedDependency[Call], notice: FromPath[str]) -> list[Step]:
    """Who brought which version of a notice to which stage, and when; oldest first."""
    catalogue = call.configuration.catalogue
    if notice not in catalogue.notices and notice not in catalogue.drafts:
        raise UnpublishedNotice
    found = await call.look(partial(call.services.registry.publisher.stages, notice=notice))
    return [Step(each.version, each.stage, each.hash, iso(each.at), each.actor) for each in found]


@get(
    "/v1/notices/{notice:str}/versions/{version:int}/content",
    opt=_READERS,
    operation_id="catalogue.notice_content",
    tags=["Catalogue"],
)
async def content(call: NamedDependency[Call], notice: FromPath[str], version: FromPath[int]) -> Response[bytes]:
    """The canonical bytes of a published version: their SHA-256 is the `notice_hash` of records and receipts."""
    found = call.configuration.catalogue.older(notice, version)
    if found is None:
        raise UnpublishedNotice
    headers = {"etag": f'"{found.hash()}"', "cache-control": "private, max-age=31536000, immutable"}
    return Response(found.content(), media_type="application/json", headers=headers)


@get("/v1/jurisdictions", opt=_READERS, operation_id="catalogue.jurisdictions", tags=["Catalogue"])
async def jurisdictions(call: NamedDependency[Call]) -> list[Regime]:
    """What Sayso takes each law to start from, with the source of each row."""
    return list(call.configuration.catalogue.regimes.values())


def _purpose(catalogue: Catalogue, name: str) -> PurposeView:
    found = catalogue.purposes[name]
    codes = ("any", *(() if isinstance(found.legal_basis, str) else found.legal_basis))
    return PurposeView(
        purpose=name,
        version=found.version,
        revision=found.revision,
        title=found.title,
        description=found.description,
        legal_basis=found.legal_basis,
        default_state={code: catalogue.default_state(name, code) for code in codes if code in REGIMES},
        categories=found.categories,
        published_at=iso(found.revised_at or found.published_at),
        **{member: getattr(found, member) for member in _ALIKE},
    )


_ALIKE = PurposeView.__struct_fields__[PurposeView.__struct_fields__.index("dpv") :]


def _versions(catalogue: Catalogue, name: str) -> list[Notice]:
    draft = catalogue.drafts.get(name)
    return [*([draft] if draft else []), *catalogue.versions(name)]


def _notice(catalogue: Catalogue, found: Notice) -> NoticeView:
    stage = found.status
    if stage == "published" and catalogue.notices[found.name].version != found.version:
        stage = "superseded"
    return NoticeView(
        found.name,
        found.version,
        stage,
        found.purposes,
        found.hash(),
        {locale: found.text_hash(locale) for locale in found.text},
        None if found.material is None else found.asks_again(),
        iso(found.published_at) if found.published_at else UNSET,
    )


handlers: list[BaseRouteHandler] = [purposes, notices, steps, content, jurisdictions]
