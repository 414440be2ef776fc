"""What is declared of a value: its collection and type, how it is normalised, what may be told of it. Pure."""
