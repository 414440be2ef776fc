"""The program: `serve` and `worker`, their loops, and what must hold before. Read `serving.py` first."""
