"""Buying groups in virtual time: the same groups, conditions, actions and events as in the stores."""

from tests.simulating import Simulating, bodies, path

TRIP = """
roles_template: team
roles:
  - {role: chief, weight: vital, required: true, when: {person: {job_title: {starts_with: Chief}}}}
  - {role: champion, required: true}
---
stage_model: sales
stages: [{stage: open, entry: true, to: [won]}, {stage: won, success: true}]
---
solution_interest: grid
roles_template: team
stage_model: sales
qualified: {completeness: {at_least: 100}}
---
buying_groups: all
solution_interest: grid
audience: everyone
---
score_model: usual
weights: {form_filled: 40}
---
journey: trip
audience: everyone
schedule: {end: 30 days}
start: wake
nodes:
  wake:
    do: [{update_buying_group_stage: {solution_interest: grid, stage: open}}]
    next: hear
  hear:
    listen: [{engagement_changed: {solution_interest: grid, score: {at_least: 1}}}]
    timeout: {after: 9 days, next: sort}
    next: pick
  pick:
    do:
      - assign_to_buying_group: {solution_interest: grid, role: champion, who: {not: {member_of: {}}}, top: {1: engagement}}
      - update_buying_group_stage: {solution_interest: grid, stage: won}
    next: sort
  sort:
    split: accounts
    paths:
      - {label: whole, when: {buying_group: {stage: won, qualified: true, role: {name: champion}}}, end: whole}
      - {label: part, when: {buying_group: {completeness: 50}}, end: part}
    otherwise: nobody
  nobody: {do: [], end: nobody}
"""
DATA = {
    "accounts": "account_id,name\na,Acme\nb,Bolt\nc,Cold\n",
    "people": "person_id,email,job_title,account_id\np,p@a.example,Chief,a\nq,q@a.example,Clerk,a\n"
    "r,r@a.example,Clerk,a\ns,s@b.example,Chief,b\n",
}
FORM = '{"at": "2026-03-04T08:00:00Z", "type": "form_filled", "person_id": "%s"}'


async def test_groups_are_made_heard_asked_for_and_changed(simulating: Simulating) -> None:
    workspace = simulating.workspace(TRIP, **DATA)
    told = await simulating(workspace, "trip", FORM % "r", FORM % "p")
    assert path(told, "a") == ["wake", "hear", "pick", "sort", "completed:whole"]
    assert path(told, "b") == ["wake", "hear", "sort", "completed:part"]
    assert path(told, "c") == ["wake", "hear", "sort", "nobody", "completed:nobody"]
    [heard] = bodies(told, account="a", kind="listen")
    assert (heard["outcome"], heard["event"]) == ("heard", "engagement_changed")
    [picked] = bodies(told, account="a", node="pick")
    assert picked["effects"] == [
        {
            "action": "assign_to_buying_group",
            "solution_interest": "grid",
            "role": "champion",
            "person": "r",
            "outcome": "done",
        },
        {
            "action": "update_buying_group_stage",
            "solution_interest": "grid",
            "stage": "won",
            "outcome": "done",
        },
    ]
    again = await simulating(workspace, "trip", FORM % "r", FORM % "p")
    assert [one.body for one in again.lines] == [one.body for one in told.lines]
