"""Who holds the root key: a file, an HSM or a key service behind one seam. Read `provider.py` first."""
