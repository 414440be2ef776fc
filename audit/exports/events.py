"""What exports tell the log: each that is ordered, and each time one is fetched."""

from typing import Final

from audit.leaf.vocabulary import declare

ORDERED: Final = declare("audit.export.ordered", "export", "what", "format")
TAG_KEY_HANDED_OUT: Final = declare("audit.tag_key.handed_out")
FETCHED: Final = declare("audit.export.fetched", "export", "what", "format", "size", "entries")
