"""The rules of entry, over any past an account may have."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from caravan.journeys.durations import parse_duration
from caravan.journeys.entry import Admit, EntryRules, Past, Reentry, opens, refusal

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(
    lambda d: d.replace(tzinfo=UTC)
)
rules = st.builds(
    EntryRules,
    admit=st.builds(Admit, already_qualified=st.booleans()),
    reentry=st.none()
    | st.builds(
        Reentry,
        after=st.sampled_from(["1 second", "36 hours", "30 days", "2 months"]).map(parse_duration),
        since=st.sampled_from(["start", "end"]),
        limit=st.none() | st.integers(1, 4),
        requalified=st.booleans(),
    ),
    zone=st.sampled_from(["UTC", "Europe/Stockholm", "Pacific/Auckland"]),
)


@st.composite
def pasts(draw: st.DrawFn) -> Past:
    entries = draw(st.integers(0, 5))
    entered, ended = sorted((draw(instants), draw(instants)))
    return Past(
        entries=entries,
        entered_at=entered if entries else None,
        ended_at=ended if entries else None,
        qualified_at=draw(instants),
        invited=draw(st.booleans()),
    )


@given(rules, pasts(), instants)
def test_who_may_enter_meets_every_rule_and_who_may_not_is_told_one(
    rules: EntryRules, past: Past, at: datetime
) -> None:
    assert past.qualified_at is not None
    no = refusal(rules, past, BEGAN, at)
    again = rules.reentry
    fits = [
        past.entries < (1 if again is None else again.limit or 99),
        past.invited or rules.admit.already_qualified or past.qualified_at > BEGAN,
        past.invited
        or not (again and again.requalified and past.entered_at)
        or past.qualified_at > past.entered_at,
        again is None
        or past.ended_at is None
        or at >= (opens(rules, past.entered_at, past.ended_at) or at),
    ]
    assert (no is None) == all(fits)
    if no is not None and no.opens_at is not None:
        # nothing but time is missing: then it may
        assert no.opens_at > at
        assert refusal(rules, past, BEGAN, no.opens_at) is None
        just_before = no.opens_at - timedelta(microseconds=1)
        assert refusal(rules, past, BEGAN, just_before) is not None


def test_days_of_a_re_entry_keep_the_local_clock() -> None:
    rules = EntryRules(
        reentry=Reentry(after=parse_duration("1 day"), since="end"), zone="Europe/Stockholm"
    )
    ended = datetime(2026, 3, 28, 11, tzinfo=UTC)  # noon, before the clock goes on
    assert opens(rules, None, ended) == datetime(2026, 3, 29, 10, tzinfo=UTC)
