"""What those who bring a request say of it, as officers read it: a line for each thing that was said."""


def one_line(said: str) -> str:
    """What somebody else said, as it stands in a line for officers: it adds no line of its own."""
    return " ".join(said.split())[:500]
