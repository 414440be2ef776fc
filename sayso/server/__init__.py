"""The roof: HTTP, pages, command line and loops, and the one place where the packages are wired together.

Read `wiring.py` first (what there is), then `app.py` (how a request reaches it). Nothing below may import this package.
"""
