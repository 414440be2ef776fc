"""What other systems hold instead of a value: its text, its row, its terms. Read `token.py` first."""
