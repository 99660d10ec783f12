"""Proving: what is a difference between ledger, mail and histories, and what is none."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.campaigns.proving import (
    NOT_GONE,
    Difference,
    Told,
    against_histories,
    against_log,
    lasting,
)

STATES = (*NOT_GONE, "handed_over", "accepted", "in_doubt")


def row(identity: str, state: str, *, gone: bool = False, resent: bool = False) -> dict[str, Any]:
    return {
        "message_id": identity,
        "known_as": identity,
        "state": state,
        "gone": gone,
        "resent": resent,
    }


@given(
    st.dictionaries(
        st.integers(0, 50).map(str), st.tuples(st.sampled_from(STATES), st.integers(0, 3))
    )
)
def test_every_message_is_judged_by_its_state_and_how_often_it_was_taken(
    messages: dict[str, tuple[str, int]],
) -> None:
    taken = Counter({identity: times for identity, (_, times) in messages.items() if times})
    found = against_log([row(one, state) for one, (state, _) in messages.items()], taken)
    by_what = {
        what: set[str]()
        for what in ("accepted, not taken", "taken, not accepted", "taken more than once")
    }
    for one in found.differences:
        by_what[one.what].add(one.about)
    for identity, (state, times) in messages.items():
        assert (identity in by_what["accepted, not taken"]) == (state == "accepted" and times == 0)
        assert (identity in by_what["taken, not accepted"]) == (state in NOT_GONE and times > 0)
        assert (identity in by_what["taken more than once"]) == (times > 1)
    assert found.counts["taken"] == sum(times for _, times in messages.values())
    assert found.counts["unknown to this ledger"] == 0


def test_what_is_explained_is_no_difference() -> None:
    rows = [
        row("erased", "accepted", gone=True),
        row("again", "accepted", resent=True),
        row("doubt", "in_doubt"),
    ]
    found = against_log(rows, Counter({"again": 2, "doubt": 1, "another's": 3}))
    assert found.differences == []
    assert found.counts == {
        "taken": 6,
        "of them in doubt": 1,
        "accepted and erased since": 1,
        "accepted by a person's word": 0,
        "sent again by a person's word": 1,
        "unknown to this ledger": 3,
    }


def send(step_no: int = 2, counted: int = 3, kept: int = 3, **fields: Any) -> dict[str, Any]:
    return {
        "workflow_id": "w", "step_no": step_no, "node": "mail", "counts": {"accepted": counted},
        "completed": True, "counted": counted, "kept": kept, **fields,
    }  # fmt: skip


def test_histories_that_say_the_same_agree() -> None:
    found = against_histories([send()], {"w": Told({2: {"accepted": 3}}, complete=True)})
    assert found.differences == []
    assert found.counts["messages told"] == 3


@pytest.mark.parametrize(
    ("sends", "told", "what"),
    [
        ([send()], Told({2: {"accepted": 2}}, complete=True), "history and step"),
        ([send()], Told({}, complete=True), "step without history"),
        ([], Told({2: {"accepted": 3}}, complete=True), "history without step"),
        ([send(kept=2)], Told({2: {"accepted": 3}}, complete=True), "step and ledger"),
        ([send(kept=4)], Told({2: {"accepted": 3}}, complete=True), "step and ledger"),
    ],
)
def test_whatever_differs_is_told(sends: list[dict[str, Any]], told: Told, what: str) -> None:
    assert [one.what for one in against_histories(sends, {"w": told}).differences] == [what]


def test_expired_or_cut_off_histories_are_counted_apart() -> None:
    expired = against_histories([send()], {"w": None})
    assert expired.differences == []
    assert expired.counts["sends not told, expired"] == 1
    cut_off = against_histories([send()], {"w": Told({}, complete=False)})
    assert cut_off.differences == []
    assert cut_off.counts["sends not told yet or any more"] == 1


def test_only_what_two_looks_have_found_lasts() -> None:
    stays, goes = Difference("a", "x"), Difference("a", "y")
    assert lasting([stays, goes], [stays, Difference("b", "x")]) == [stays]
