"""Finding entries and opening what a reader may see of them. Read `search.py` first."""
