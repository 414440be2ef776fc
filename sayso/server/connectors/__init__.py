"""Work that we do ourselves in somebody else's database: what a manifest declares for a system with connector `sql`.

Read `runner.py` first: it takes tasks, has `store.py` carry the statements out, and answers. `secrets.py` finds where
the database is: never in the manifest.
"""

from sayso.server.connectors.failures import Refused
from sayso.server.connectors.runner import CheckedSystem, Connectors
from sayso.server.connectors.store import Ran, carry_out

__all__ = ["CheckedSystem", "Connectors", "Ran", "Refused", "carry_out"]
