"""What decided a path in words, as `account show` says it."""

import pytest

from caravan.reports.reason_words import in_words


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("account.annual_revenue", 5, "account's annual_revenue is 5"),
        ("person.seniority", "", "person's seniority is empty"),
        ("accessor.tier", "Gold", "tier is Gold"),
        ("did(email_opened, within 12 months)", 0, "email_opened, within 12 months: never"),
        ("did(form_filled, form is x (2), since entry)", 1, "form_filled, form is x (2), since entry: once"),
        ("person(job_title starts_with Chief or VP)", "p-1", "person p-1 (job_title starts with Chief or VP)"),
        ("opportunity(is_closed is False) (2)", "o-1", "opportunity o-1 (is_closed is False)"),
        ("people", 1, "1 person fits"),
        ("people (2)", 3, "3 people fit"),
        ("role_in_account", ["user", "buyer"], "roles user, buyer"),
        ("people_list(vips)", False, "not in the list vips"),
        ("account_list(priority)", True, "in the list priority"),
        (
            "buying_group(stage is open, qualified)",
            {"group": 3, "solution_interest": "grid", "stage": "open", "qualified_at": None},
            "group 3 of grid: stage open (asked: stage is open, qualified)",
        ),
        ("hundredth", 37, "in hundredth 37 of 0 to 99"),
        ("counted A (2)", 4, "A (2) had 4"),
        ("until", "2026-03-02T08:00:00+00:00", "until 2026-03-02 08:00:00Z"),
        ("event_at", "2026-03-02T08:00:00Z", "at 2026-03-02 08:00:00Z"),
        ("person", "p-1", "person p-1"),
        ("fault", "no-zone", "no-zone: another zone was taken"),
        ("something new", 1, "something new 1"),
    ],
)  # fmt: skip
def test_evidence_is_told_in_words(key: str, value: object, said: str) -> None:
    assert in_words({key: value}) == [said]


def test_what_there_is_nothing_to_say_of_is_left_out() -> None:
    assert in_words({"activity": None, "person": None}) == []
