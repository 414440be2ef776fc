"""From a token to a value, one by one and by the line; and what stands in the way. Read `reveal.py` first."""
