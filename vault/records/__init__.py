"""A person's stored values: written, read whole for the person, and handed over."""
