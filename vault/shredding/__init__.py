"""Erasing: the keys go first, and a ledger outside the database remembers which. Read `shred.py` first."""
