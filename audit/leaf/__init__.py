"""What is said to the log and what stands in it: events, leaves, commitments, tags. Pure. Read `entry.py` first."""
