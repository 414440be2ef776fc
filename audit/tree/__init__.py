"""From the outbox into a signed tree, and proofs out of it; what guards its head. Read `integrator.py` first."""
