"""Pages: view models in, HTML out. Pure functions; the routes that call them live beside this package.

Read first: `frame.py` (what every page shares), then one audience: `person.py`, `console.py`, `shop.py`, `reference.py`, `banner.py`.
"""

from .banner import (
    BannerConfiguration,
    BannerPurpose,
    ChoiceCookie,
    banner_configuration,
    banner_script,
    read_choice_cookie,
)
from .console import (
    ConsoleLogin,
    EntriesPage,
    EntryDetails,
    EntryFilter,
    EntryRow,
    LogHealth,
    Operator,
    PeoplePage,
    PersonPage,
    render_console_login,
    render_entries,
    render_people,
    render_person,
)
from .environment import STATIC, Asset, assets, manifest
from .frame import Brand, Flash, Frame, Theme, safe_back, theme_of
from .gallery import GalleryPage, render_gallery
from .headers import BANNER_HEADERS, CONTENT_SECURITY_POLICY, MEDIA_TYPES, PAGE_HEADERS, STATIC_HEADERS
from .locales import LOCALES, negotiate
from .person import (
    DoorPage,
    ErasureRequest,
    PreferencesPage,
    ProofBundle,
    PurposeCard,
    RecordLine,
    Say,
    Status,
    confirms_erasure,
    erase_word,
    render_door,
    render_preferences,
    say,
)
from .reference import DocsPage, render_docs
from .shop import ShopPage, SignedUp, Tag, render_shop

__all__ = [
    "BANNER_HEADERS", "CONTENT_SECURITY_POLICY", "LOCALES", "MEDIA_TYPES", "PAGE_HEADERS", "STATIC", "STATIC_HEADERS",
    "Asset", "BannerConfiguration", "BannerPurpose", "Brand", "ChoiceCookie", "ConsoleLogin", "DocsPage", "DoorPage",
    "EntriesPage", "EntryDetails", "EntryFilter", "EntryRow", "ErasureRequest", "Flash", "Frame", "GalleryPage", "LogHealth",
    "Operator", "PeoplePage", "PersonPage", "PreferencesPage", "ProofBundle", "PurposeCard", "RecordLine", "Say", "ShopPage",
    "SignedUp", "Status", "Tag", "Theme", "assets", "banner_configuration", "banner_script", "confirms_erasure", "erase_word",
    "manifest", "negotiate", "read_choice_cookie", "render_console_login", "render_docs", "render_door", "render_entries",
    "render_gallery", "render_people", "render_person", "render_preferences", "render_shop", "safe_back", "say", "theme_of",
]
