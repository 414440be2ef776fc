"""The proof a person is given of a choice."""
