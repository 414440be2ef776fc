"""Sayso: consent registry, policy engine, vault and audit log in one self-hosted application.

`sayso.kernel` is the ground that every package stands on, `sayso.server` the roof that wires them together, and
`sayso.migrations` lays the tables. Read `docs/architecture.md` first, then `sayso/server/wiring.py`.
"""

__version__ = "0.1.0"
