"""Rules and trees: read strictly, linted, and built into a snapshot that answers. Read `snapshot.py` first."""
