"""The hot calls: what they take, what they answer, and the unit of work between. Read `decisions.py` first.

Both faces use exactly these: the Litestar routes, which document them, and the dispatcher in front, which is faster.
"""
