"""What seals, and what it is bound to: suites, blobs, associated data, derived subkeys, keyed tags."""
