"""Which entries lie in a log of their own, for how long, and how they leave. Read `classes.py` first."""
