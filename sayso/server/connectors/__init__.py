"""Work that we do ourselves at somebody else's: statements in a customer's database, calls of a processor (OpenDSR).

Read `runner.py` first: it takes tasks, has `store.py` carry statements out or `processor.py` tell a processor, and
answers. `secrets.py` finds where they are: never in the manifest. `limits_store.py` is what a database is told before,
`failures.py` what its errors mean, `opendsr.py` the protocol's bytes, `results.py` what is taken of what a processor
found, `checking.py` a look that changes nothing.
"""

from sayso.server.connectors.checking import CheckedSystem
from sayso.server.connectors.failures import Refused
from sayso.server.connectors.runner import Connectors
from sayso.server.connectors.store import Ran, carry_out

__all__ = ["CheckedSystem", "Connectors", "Ran", "Refused", "carry_out"]
