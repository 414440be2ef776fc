"""Sets documents with Typst, in a thread, one at a time. Implements the kernel's `Renderer`.

The compiler and its fonts come from wheels: nothing is installed beside Python, nothing is fetched. Noto Sans CJK has
Latin, Greek, Cyrillic, Chinese, Japanese and Korean in one face, and Noto Sans Arabic goes with it, so names in any of
them stand on one line.
"""

import asyncio
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from sayso.kernel import SECOND, Document, Unavailable

TEMPLATE: Final = Path(__file__).with_name("templates") / "document.typ"

WAITING: Final = 16
"""Documents that may wait. One takes some 50 milliseconds; a queue longer than that is a fault somewhere else."""

_FONTS: Final = ("noto_cjk_sans_otc", "fontpkg_noto_sans_arabic")

_STANDARD: Final = "a-3a"
"""PDF/A-3a (ISO 19005-3): for the archive, accessible, with files inside."""


class Typesetter:
    """One compiler, loaded at first use."""

    def __init__(self) -> None:
        self._compiler: Any = None
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def pdf(self, document: Document) -> bytes:
        """The document as PDF. Raises `Unavailable` when too many wait already."""
        if self._waiting >= WAITING:
            raise Unavailable("typesetting-busy", "Too many documents are being set; ask again in a moment.")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(self._set, document)
        finally:
            self._waiting -= 1

    def _set(self, document: Document) -> bytes:
        if self._compiler is None:
            # Half a second and some megabytes, which a server that prints nothing should not spend.
            import typst

            fonts = typst.Fonts(
                include_system_fonts=False,
                include_embedded_fonts=False,
                font_paths=[str(files(name)) for name in _FONTS],
            )
            self._compiler = typst.Compiler(TEMPLATE, font_paths=fonts, ignore_system_fonts=True)
        language, _, region = document.locale.partition("-")
        told = {
            **msgspec.to_builtins(document),
            "attachments": [
                {"name": each.name, "media_type": each.media_type, "description": each.description}
                for each in document.attachments
            ],
            "language": language.lower(),
            "region": region.upper() if len(region) == 2 else None,
        }
        inputs = {"document": msgspec.json.encode(told).decode()}
        for index, each in enumerate(document.attachments):
            inputs[f"attachment-{index}"] = each.content.decode()
        made: bytes = self._compiler.compile(
            format="pdf", sys_inputs=inputs, pdf_standards=[_STANDARD], timestamp=document.at // SECOND
        )
        return made
