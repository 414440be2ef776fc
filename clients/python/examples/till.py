"""A till: one field for one purpose. Without an answer there is none, and the queue moves on.

SAYSO_URL=https://say.example SAYSO_KEY=sk_… python till.py tok_…
"""

import os
import sys

from sayso_client import Sayso, SaysoError

PURPOSE = "checkout"


def card(say: Sayso, token: str) -> str | None:
    """The last digits of the loyalty card, to read out; None when Sayso says no, or says nothing."""
    try:
        (opened,) = say.reveal([token], PURPOSE, "points for this purchase")
    except SaysoError:
        return None
    return opened.value


def main() -> None:
    with Sayso(os.environ["SAYSO_URL"], os.environ["SAYSO_KEY"], name="till", timeout=5) as say:
        digits = card(say, sys.argv[1])
        print(f"Points go to the card {digits}." if digits else "No points: please show your card.")


if __name__ == "__main__":
    main()
