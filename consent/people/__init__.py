"""Who is meant: identifiers, codes, merges and their undoing, facts that decide, erasure."""
