"""Entries, exits and variants in virtual time."""

from tests.simulating import Simulating, bodies, path

ACCOUNTS = "account_id,name\n" + "".join(f"{name},{name}\n" for name in ("d", "b", "a", "c"))
ONE = "\nstart: rest\nnodes: {rest: {wait: 2 days, end: over}}\n"


def journey(further: str, rest: str = ONE) -> str:
    return f"\njourney: trip\naudience: everyone\nzone: Europe/Stockholm\n{further}{rest}"


async def test_so_many_enter_a_day_in_order_of_id(simulating: Simulating) -> None:
    workspace = simulating.workspace(
        journey("schedule: {end: 30 days}\nadmit: {per_day: 3}"), accounts=ACCOUNTS
    )
    told = await simulating(workspace)
    assert [(line["account"], line["at"]) for line in bodies(told, kind="enter")] == [
        ("a", "2026-03-02T08:00:00Z"),
        ("b", "2026-03-02T08:00:00Z"),
        ("c", "2026-03-02T08:00:00Z"),
        ("d", "2026-03-02T23:00:00Z"),
    ]


async def test_accounts_enter_again_when_the_rule_allows(simulating: Simulating) -> None:
    workspace = simulating.workspace(
        journey("schedule: {end: 30 days}\nreentry: {after: 5 days, from: end, limit: 3}"),
        accounts="account_id,name\na,A\n",
    )
    told = await simulating(workspace)
    assert [(line["entry"], line["at"]) for line in bodies(told, kind="enter")] == [
        (1, "2026-03-02T08:00:00Z"),
        (2, "2026-03-09T08:00:00Z"),
        (3, "2026-03-16T08:00:00Z"),
    ]


async def test_nobody_enters_before_the_start(simulating: Simulating) -> None:
    workspace = simulating.workspace(
        journey("schedule: {start: 2026-03-10T09:00:00+01:00, end: 30 days}"),
        accounts="account_id,name\na,A\n",
    )
    told = await simulating(workspace)
    assert [line["at"] for line in bodies(told, kind="enter")] == ["2026-03-10T08:00:00Z"]
    assert told.summary["until"] == "2026-04-09T07:00:00Z"


async def test_an_exit_takes_a_resting_account_when_its_data_changes(
    simulating: Simulating,
) -> None:
    workspace = simulating.workspace(
        journey(
            "schedule: {end: 30 days}\n"
            "exits: [{label: won, goal: true, when: {opportunity: {is_won: true}}}]",
            "\nstart: ears\nnodes: {ears: {listen: [{form_filled: {}}]}}\n",
        ),
        accounts="account_id,name\na,A\nb,B\n",
    )
    told = await simulating(
        workspace,
        "trip",
        '{"at": "2026-03-05T00:00:00Z", "change": "opportunity", "id": "o",'
        ' "set": {"account_id": "a", "is_won": true}}',
    )
    assert path(told, "a") == ["ears", "exit:won"]
    [ears] = bodies(told, node="ears", kind="listen", account="a")
    assert (ears["outcome"], ears["until"]) == (None, "2026-03-05T00:00:00Z")


async def test_quotas_are_drawn_in_order_of_id(simulating: Simulating) -> None:
    workspace = simulating.workspace(
        journey(
            "schedule: {end: 30 days}",
            "\nstart: draw\nnodes:\n"
            "  draw: {variants: accounts, method: quota, paths:"
            " [{label: A, share: 50, next: rest}, {label: B, share: 50}]}\n"
            "  rest: {wait: 1 day}\n",
        ),
        accounts=ACCOUNTS,
    )
    told = await simulating(workspace)
    assert [line["outcome"] for line in bodies(told, kind="variants")] == ["A", "B", "A", "B"]
    assert told.summary["nodes"]["draw"]["paths"] == {"A": 2, "B": 2}


async def test_an_exit_that_acts_says_what_it_did_and_from_where(simulating: Simulating) -> None:
    workspace = simulating.workspace(
        journey(
            "schedule: {end: 30 days}\n"
            "exits: [{label: won, when: {opportunity: {is_won: true}},"
            " do: [{account_interesting_moment: {type: web, text: won}}]}]",
            "\nstart: ears\nnodes: {ears: {listen: [{form_filled: {}}]}}\n",
        ),
        accounts="account_id,name\na,A\n",
        opportunities="opportunity_id,account_id,is_won\no,a,true\n",
    )
    told = await simulating(workspace)
    assert bodies(told, account="a", entry=1, at="2026-03-02T08:00:00Z") == [
        {"node": "ears", "kind": "enter"},
        {"node": "ears", "kind": "listen", "outcome": None, "until": "2026-03-02T08:00:00Z"},
        {
            "node": "exit:won", "kind": "do",
            "effects": [{"action": "account_interesting_moment", "outcome": "done"}],
        },
        {"node": "ears", "kind": "exit", "reason": "exit", "label": "won"},
    ]  # fmt: skip
