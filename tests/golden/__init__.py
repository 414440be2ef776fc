"""Stores as releases left them, kept for ever: each must open, and be upgraded, in every later release."""
