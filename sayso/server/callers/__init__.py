"""Who calls: keys, sessions and signed words, and the people and clients that they stand for. Read `auth.py` first."""
