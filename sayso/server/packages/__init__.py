"""The access package: everything that Sayso knows of a person, to read and for machines, as one zip.

Read `maker.py` first: a job makes it in small steps, and what is made lies sealed under the person's key until it was
fetched or its time is over. `content.py` is what stands in it; docs/formats/person.md is the machine's part.
"""

from sayso.server.packages.content import FORMAT, Told
from sayso.server.packages.maker import PACKAGED, Maker, NoPackage, PackageNotReady, PackageState

__all__ = ["FORMAT", "PACKAGED", "Maker", "NoPackage", "PackageNotReady", "PackageState", "Told"]
