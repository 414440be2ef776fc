"""The rows of the outbox: what goes in comes out, and a person can be taken out of what waits."""

from hypothesis import given
from hypothesis import strategies as st

from audit import outbox
from audit.outbox import Pending

ids = st.binary(min_size=16, max_size=16).filter(any)
waiting = st.builds(Pending, ids, st.binary(max_size=600), st.none() | ids, ids)
NOBODY = bytes(15) + b"\1"


def row(entries: list[Pending]) -> bytes:
    return b"".join(outbox.pack(*each) for each in entries)


@given(st.lists(waiting, max_size=20))
def test_what_goes_in_comes_out_in_order(entries: list[Pending]) -> None:
    assert list(outbox.unpack(row(entries))) == entries


@given(st.lists(waiting, max_size=20), ids, st.data())
def test_forgetting_takes_out_one_person_and_nothing_else(
    entries: list[Pending], ann: bytes, data: st.DataObject
) -> None:
    mixed = [
        each._replace(
            subject=data.draw(st.sampled_from([each.subject, ann])), actor=data.draw(st.sampled_from([each.actor, ann]))
        )
        for each in entries
    ]
    kept = list(outbox.unpack(outbox.forget(row(mixed), ann, NOBODY)))
    assert [each[:2] for each in kept] == [each[:2] for each in mixed]
    for was, now in zip(mixed, kept, strict=True):
        assert ann not in (now.subject, now.actor)
        if ann not in (was.subject, was.actor):
            assert now == was
        else:
            assert now.subject is None
            assert now.actor == (NOBODY if was.actor == ann else was.actor)
