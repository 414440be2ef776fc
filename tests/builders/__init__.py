"""What tests are arranged with: servers that run for a while, and things with sensible values.

`postgres.py` runs a real PostgreSQL from the development lock. Builders of one package's things stand in a file named
after it.
"""
