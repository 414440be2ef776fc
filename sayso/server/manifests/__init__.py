"""`sayso apply` on the server's side: a manifest read, checked, made the configuration. Read `applying.py` first."""
