"""Whether a person may be reached, and how wishes change and merge."""

from hypothesis import given
from hypothesis import strategies as st

from consent import Cap, Contact, Quiet, Use, counted, given_back, live_uses, reachable
from consent.preferences.contact import ALL, MOST_MESSAGES, PERIODS, WINDOWS
from consent.preferences.reach import OFF, OK, capped, hushed, merged, paused, switched, tighter

DAY = 86_400_000_000
NOON = 1_795_262_400_000_000
"""21 November 2026, 12:00 UTC: a Saturday."""

PURPOSES = ("marketing.email", "marketing.calls", "ads")
CHANNELS = ("email", "sms", "post")

ranks = st.integers(0, 3)
caps = st.builds(Cap, most=st.integers(1, 40), per=st.sampled_from(PERIODS), assurance=ranks)
quiets = st.builds(
    Quiet,
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
    zone=st.sampled_from(("UTC", "Europe/Berlin")),
    days=st.integers(1, 127),
    assurance=ranks,
).filter(lambda window: window.start != window.end)
messages = st.lists(
    st.builds(
        Use, at=st.integers(NOON - 40 * DAY, NOON), entry=st.binary(min_size=2, max_size=2), client=st.just("crm")
    ),
    max_size=6,
).map(tuple)
contacts = st.builds(
    Contact,
    uses=st.dictionaries(st.sampled_from(CHANNELS), messages),
    off=st.dictionaries(
        st.sampled_from(CHANNELS),
        st.dictionaries(st.sampled_from((*PURPOSES, "marketing", ALL)), ranks, min_size=1),
    ),
    caps=st.dictionaries(st.sampled_from(CHANNELS), caps),
    quiet=st.lists(quiets, max_size=2).map(tuple),
    pause_until=st.sampled_from((0, NOON - DAY, NOON + DAY)),
    pause_assurance=ranks,
)
questions = st.tuples(st.sampled_from(CHANNELS), st.sampled_from(PURPOSES), st.integers(NOON, NOON + 9 * DAY))


def test_who_said_nothing_may_be_reached() -> None:
    assert reachable(None, "email", "ads", NOON) == reachable(Contact(), "email", "ads", NOON) == OK


def test_off_reaches_down_the_tree_of_purposes_and_no_other_channel() -> None:
    contact = Contact(off={"email": {"marketing": 3}})
    assert reachable(contact, "email", "marketing.email", NOON) == OFF
    assert reachable(contact, "email", "ads", NOON) == OK
    assert reachable(contact, "sms", "marketing.email", NOON) == OK


def test_a_letter_knows_no_hours_and_waits_for_a_pause() -> None:
    contact = Contact(quiet=(Quiet(0, 1439, "UTC"),))
    assert reachable(contact, "post", "ads", NOON) == OK
    assert reachable(contact, "sms", "ads", NOON).verdict == "later"
    assert reachable(Contact(pause_until=NOON + 1), "post", "ads", NOON) == ("later", NOON + 1)
    assert reachable(Contact(pause_until=NOON), "post", "ads", NOON) == OK


@given(contacts, questions)
def test_later_is_over_when_it_says_so(contact: Contact, question: tuple[str, str, int]) -> None:
    channel, purpose, at = question
    verdict, until = reachable(contact, channel, purpose, at)
    if verdict == "later":
        assert until > at
        assert reachable(contact, channel, purpose, until) == OK
        assert reachable(contact, channel, purpose, until - 1) == ("later", until)


@given(contacts, contacts, questions)
def test_of_two_who_are_one_every_wish_to_be_left_alone_stands(
    one: Contact, other: Contact, question: tuple[str, str, int]
) -> None:
    both = merged(one, other)
    verdicts = {reachable(each, *question).verdict for each in (one, other)}
    assert reachable(both, *question).verdict == reachable(merged(other, one), *question).verdict
    if "off" in verdicts:
        assert reachable(both, *question) == OFF
    elif "later" in verdicts:
        assert reachable(both, *question).verdict == "later"
        assert reachable(both, *question).until >= max(reachable(each, *question).until for each in (one, other))
    else:
        assert reachable(both, *question) == OK


@given(contacts, contacts)
def test_a_merged_cap_keeps_both(one: Contact, other: Contact) -> None:
    both = merged(one, other)
    assert both is not None
    for contact in (one, other):
        for channel, cap in contact.caps.items():
            assert tighter(both.caps[channel], cap)
            assert both.caps[channel].assurance >= cap.assurance


@given(contacts)
def test_merging_with_nobody_and_with_oneself_changes_nothing(contact: Contact) -> None:
    assert merged(contact, None) == merged(None, contact) == contact
    again = merged(contact, contact)
    assert again is not None
    assert (again.off, again.caps, again.pause_until) == (contact.off, contact.caps, contact.pause_until)


@given(caps, st.lists(st.tuples(st.integers(0, 3 * DAY), st.booleans()), max_size=60))
def test_no_window_of_the_period_holds_more_messages_than_the_cap(cap: Cap, asks: list[tuple[int, bool]]) -> None:
    contact, at, sent = Contact(caps={"email": cap}), NOON, []
    for number, (pause, unused) in enumerate(asks):
        at += pause
        verdict, until = reachable(contact, "email", "ads", at)
        live = [each for each in sent if each > at - WINDOWS[cap.per]]
        assert live_uses(contact, "email", at) == len(live)
        if verdict == "later":
            assert len(live) >= cap.most
            assert until == live[-cap.most] + WINDOWS[cap.per]
            continue
        assert len(live) < cap.most
        entry = number.to_bytes(2, "big")
        contact = counted(contact, "email", Use(at, entry, "crm"))
        if unused:
            assert given_back(contact, entry, "mailer") is None, "that was another's"
            back = given_back(contact, entry, "crm")
            assert back is not None
            assert given_back(back, entry, "crm") is None
            contact = back
        else:
            sent.append(at)


def test_messages_on_a_channel_without_a_cap_are_forgotten() -> None:
    before = Contact(caps={"sms": Cap(1, "day")}, uses={"email": (Use(NOON, b"e", "crm"),)})
    assert counted(before, "sms", Use(NOON, b"f", "crm")).uses == {"sms": (Use(NOON, b"f", "crm"),)}


def test_no_more_messages_are_kept_than_the_loosest_cap_admits() -> None:
    contact = Contact(caps={"email": Cap(MOST_MESSAGES, "day")})
    for number in range(3 * MOST_MESSAGES):
        contact = counted(contact, "email", Use(NOON + number * DAY // 90, number.to_bytes(2, "big"), "crm"))
    assert len(contact.uses["email"]) == MOST_MESSAGES
    assert len(merged(contact, contact).uses["email"]) == MOST_MESSAGES  # type: ignore[union-attr]


channel_wishes = st.one_of(st.booleans(), st.dictionaries(st.sampled_from(PURPOSES), st.booleans(), min_size=1))


@given(contacts, st.sampled_from(CHANNELS), channel_wishes, ranks, questions)
def test_a_wish_about_a_channel_is_heard_or_refused_whole(
    contact: Contact, channel: str, on: bool | dict[str, bool], rank: int, question: tuple[str, str, int]
) -> None:
    after = switched(contact, channel, on, rank, PURPOSES)
    stood = contact.off.get(channel, {})
    if after is None:
        assert any(said > rank for said in stood.values()), "only something said more surely stands in the way"
        return
    for purpose in PURPOSES:
        wanted = on.get(purpose) if isinstance(on, dict) else on
        found = reachable(Contact(off=after.off), channel, purpose, NOON)
        if wanted is not None:
            assert found == (OK if wanted else OFF)
        else:
            assert found == reachable(Contact(off=contact.off), channel, purpose, NOON)
    if any(said > rank for said in stood.values()):
        for place, said in stood.items():
            if said > rank:
                assert after.off[channel].get(place, -1) >= said or place == ALL, "what was said surely stays said"


@given(contacts, st.sampled_from(CHANNELS), channel_wishes, ranks)
def test_a_weak_wish_about_a_channel_never_opens_what_a_strong_one_closed(
    contact: Contact, channel: str, on: bool | dict[str, bool], rank: int
) -> None:
    strong = Contact(off={name: {p: s for p, s in places.items() if s > rank} for name, places in contact.off.items()})
    after = switched(contact, channel, on, rank, PURPOSES)
    for purpose in PURPOSES:
        if after is not None and reachable(strong, channel, purpose, NOON) == OFF:
            assert reachable(Contact(off=after.off), channel, purpose, NOON) == OFF


@given(contacts, st.sampled_from(CHANNELS), st.none() | caps, ranks)
def test_a_weak_cap_is_never_looser_than_a_strong_one(
    contact: Contact, channel: str, cap: Cap | None, rank: int
) -> None:
    stood, after = contact.caps.get(channel), capped(contact, channel, cap, rank)
    if stood is not None and stood.assurance > rank and after is not None:
        assert tighter(after.caps[channel], stood)
        assert after.caps[channel].assurance == stood.assurance


@given(contacts, st.none() | quiets, ranks, st.integers(NOON, NOON + 9 * DAY))
def test_weak_quiet_hours_never_shorten_strong_ones(contact: Contact, quiet: Quiet | None, rank: int, at: int) -> None:
    after = hushed(contact, quiet, rank)
    strong = Contact(quiet=tuple(window for window in contact.quiet if window.assurance > rank))
    if after is not None and reachable(strong, "sms", "ads", at).verdict == "later":
        assert reachable(Contact(quiet=after.quiet), "sms", "ads", at).verdict == "later"


@given(contacts, st.sampled_from((0, NOON + 2 * DAY, NOON + DAY // 2)), ranks)
def test_a_weak_word_never_ends_a_strong_pause(contact: Contact, until: int, rank: int) -> None:
    after = paused(contact, until, rank, NOON)
    if contact.pause_until > NOON and contact.pause_assurance > rank:
        assert after is None or after.pause_until >= contact.pause_until
    else:
        assert after is not None
        assert after.pause_until == until


@given(caps, caps, caps)
def test_tighter_is_an_order(one: Cap, two: Cap, three: Cap) -> None:
    assert tighter(one, one)
    if tighter(one, two) and tighter(two, three):
        assert tighter(one, three)
