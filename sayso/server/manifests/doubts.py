"""What no section of a manifest can see alone, and its author should be told of."""

from policies import Snapshot
from sayso.kernel import Problem
from vault import Collections, adds_up, fact_of

_MASK, _SAME = "mask_last4", "last4"


def masks_that_add_up(collections: Collections, snapshot: Snapshot) -> list[Problem]:
    """Rules whose mask shows what, with the facts that a field declares, nearly names its numbers.

    A warning: who is told the facts and who sees the mask may be two different roles.
    """
    above = snapshot.trees.categories.up
    found = []
    for rule in snapshot.rules:
        if not any(each.type == _MASK for each in rule.obligations):
            continue
        for name, collection in collections.items():
            for field in collection.fields.values():
                facts = [fact for text in {*field.facts, _SAME} if (fact := fact_of(text)) is not None]
                why = adds_up(field.type, facts) if field.facts else None
                if why is not None and rule.category in above.get(field.category, ()):
                    message = f"{rule.id}: with the facts of {name}.{field.name}, what {_MASK} shows adds up. {why}"
                    found.append(Problem(rule.file, rule.line, message))
    return found
