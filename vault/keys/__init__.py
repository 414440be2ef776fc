"""The key hierarchy: root key, epochs of tenants, a data key for each person and class. Read `keyring.py` first."""
