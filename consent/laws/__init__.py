"""The jurisdictions as data, and what they make of a purpose and of a child."""
