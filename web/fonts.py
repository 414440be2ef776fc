"""Makes the fonts that the pages load: Latin, the weights and features that the style sheets use, and nothing else.

    python web/fonts.py        needs `npm ci` before, and fonttools and brotli (PyPI)

The pages' own fonts were four fifths of their weight. What is cut: unhinted, the letters of Latin-1 and
its punctuation, no alternates. Source Serif 4 has one weight, since only headings are set in it.
"""

from io import BytesIO
from pathlib import Path
from typing import Any

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

WEB = Path(__file__).parent
SOURCE = WEB / "node_modules" / "@fontsource-variable"

LETTERS = (*range(0x20, 0x7F), *range(0xC0, 0x100), 0x131, 0x152, 0x153)
SIGNS = "\xa0\xad¡§©«°±·»¿–—‘’‚“”„†•…‹›€™−"


def cut(source: Path, weights: Any, features: list[str], target: Path) -> int:
    """One font, cut to what is used; its size in bytes."""
    font = instantiateVariableFont(TTFont(source), {"wght": weights})
    # Written and read again: the subsetter wants the tables as they are in a file.
    font.flavor, kept = None, BytesIO()
    font.save(kept)
    kept.seek(0)
    font = TTFont(kept, recalcTimestamp=False)
    options = Options()
    options.layout_features, options.hinting, options.name_IDs = features, False, ["*"]
    cutter = Subsetter(options)
    cutter.populate(unicodes=[*LETTERS, *map(ord, SIGNS)])
    cutter.subset(font)
    font.flavor = "woff2"
    font.save(target)
    return target.stat().st_size


if __name__ == "__main__":
    (WEB / "fonts").mkdir(exist_ok=True)
    inter = SOURCE / "inter/files/inter-latin-wght-normal.woff2"
    serif = SOURCE / "source-serif-4/files/source-serif-4-latin-wght-normal.woff2"
    print(cut(inter, (400, 700), ["kern", "liga", "tnum", "ss03", "cv05"], WEB / "fonts" / "inter.woff2"))
    print(cut(serif, 600, ["kern", "liga"], WEB / "fonts" / "source-serif-4.woff2"))
