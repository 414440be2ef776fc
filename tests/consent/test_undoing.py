"""An undo gives back exactly what stood, over random trees and histories, and nothing that was not said before it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from consent import Act, Catalogue, Moment, PersonState, decide, pack, unpack
from consent.choices.fold import Change, advance, undo
from consent.choices.record import Payload, decode, encode
from consent.choices.stood import put_back, stood, untouched
from tests.consent.purposes import TREE, Deed, after
from tests.consent.test_fold_properties import LAST, blocked, catalogues, histories, permitted

withdrawals = st.lists(st.sampled_from(TREE), min_size=1, max_size=3, unique=True)


def act(
    catalogue: Catalogue, state: PersonState, acts: dict[str, Act], at: int
) -> tuple[tuple[Change, ...], Moment, PersonState]:
    moment = Moment(at, at, 1, b"\x07" * 16)
    changes, state = decide(state, acts, catalogue, moment)
    return changes, moment, state


@settings(deadline=None)
@given(catalogues(), histories, withdrawals, st.sampled_from(["withdrawn", "objected"]))
def test_an_undo_gives_everything_back_as_it_stood(
    catalogue: Catalogue, history: list[Deed], names: list[str], kind: Act
) -> None:
    before = after(catalogue, history)
    acts: dict[str, Act] = dict.fromkeys(names, kind)
    changes, moment, then = act(catalogue, before, acts, LAST)
    was = stood(before, then)
    assert untouched(then, advance(put_back(PersonState(), was, 0), changes, moment), was)
    _, back = undo(then, dict.fromkeys(names, "undone"), was, Moment(LAST + 1, LAST + 1, 1, b"\x08" * 16))
    assert back == before
    assert permitted(catalogue, back, LAST + 2) == permitted(catalogue, before, LAST + 2)
    assert blocked(catalogue, back, LAST + 2) == blocked(catalogue, before, LAST + 2)


@settings(deadline=None)
@given(catalogues(), histories, withdrawals)
def test_an_undo_replayed_from_its_record_gives_the_same_state(
    catalogue: Catalogue, history: list[Deed], names: list[str]
) -> None:
    before = after(catalogue, history)
    changes, moment, then = act(catalogue, before, dict.fromkeys(names, "withdrawn"), LAST)
    later = Moment(LAST + 1, LAST + 1, 1, b"\x08" * 16)
    undone, back = undo(then, dict.fromkeys(names, "undone"), stood(before, then), later)
    kept = decode(
        encode(
            Payload(v=1, at=LAST + 1, changes=undone, actor="a", method="m", assurance="link", entry="e", bundle=b"b")
        )
    )
    assert advance(advance(before, changes, moment), kept.changes, kept.moment(b"\x08" * 16)) == back
    assert unpack(pack(back)) == back


@settings(deadline=None)
@given(catalogues(), histories, withdrawals, st.sampled_from(TREE), st.sampled_from(["granted", "refused", "objected"]))
def test_after_another_choice_at_the_same_place_nothing_is_untouched(
    catalogue: Catalogue, history: list[Deed], names: list[str], place: str, again: Act
) -> None:
    before = after(catalogue, history)
    changes, moment, then = act(catalogue, before, dict.fromkeys(names, "withdrawn"), LAST)
    was = stood(before, then)
    now = Moment(LAST + 1, LAST + 1, 3, b"\x09" * 16)
    _, newer = decide(then, {place: again}, catalogue, now)
    if place in names:
        assert not untouched(newer, advance(put_back(PersonState(), was, 0), changes, moment), was)
