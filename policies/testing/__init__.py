"""Tests that authors of rules write, and how much they say: rows, described people, mutants. Read `suite.py` first."""
