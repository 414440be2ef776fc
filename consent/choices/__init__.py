"""What people chose: recorded, folded into state, read again at any time."""
