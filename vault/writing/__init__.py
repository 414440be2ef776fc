"""Free text: identity data found in it and replaced by tokens."""
