"""Documents against the schema that editors use."""

from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from caravan.journeys import folder
from caravan.journeys.schema import json_schema
from caravan.journeys.source import read_documents

#: a valid workspace, but for the e-mail template ``hi``, that has a bit of everything
WIDE = """
workspace: wide
fields: {account: {contract_end: date}}
slots: {morning: {at: "09:00", weekdays: [mon]}}
---
audience: everyone
when: {all: [{account: {name: {empty: false}}}, {any: [{people: {when: {role_in_account: [a, b]}, at_least: 2}}]}]}
---
account_list: chosen
type: static
members: [a, 7]
---
people_list: folk
type: dynamic
when: {not: {did_not: {event: page_visited, within: 3 days}}, account_list: chosen, member_of: {role: [chief, champion], removed: false}}
---
identity: same-domain
of: accounts
match: [domain, name]
---
source: crm
files:
  - {file: accounts*.csv, holds: accounts}
  - file: kontakte*.csv
    holds: people
    separator: tab
    columns: {Nr: person_id, Mail: email, Stand: as_of, 7: first_name}
    constants: {country: DE}
    values: {unsubscribed: {J: "false", N: 1}}
    dates: {as_of: "%d.%m.%Y"}
    ids_of: {account_id: erp}
---
campaign: plain
do: [{person_interesting_moment: {type: web, who: {people_list: folk}, top: {1: engagement}}}]
---
communication_limits: default
zone: Europe/Stockholm
limits: [{per: person, at_most: 2, every: 1 week, channel: email}, {per: buying_group, at_most: 9, every: 3 months}]
quiet_hours: [{from: "20:00", to: "07:00", weekdays: [mon, tue], zone: person, otherwise: hold}, {from: "00:00", to: "00:00", weekdays: [sun]}]
---
journey: wide
name: 2026
audience: {list: chosen}
zone: account
schedule: {start: now, end: 90 days, grace: 1 day}
admit: {already_qualified: false, per_day: 50}
reentry: {after: 30 days, from: end, limit: 3, requires: requalified}
deduplicate_email: true
exits:
  - {label: won, goal: true, when: {opportunity: {stage: Won}}}
  - {when: {people: {when: {heard: [d]}}}, do: [{update_account: {field: name, value: heard}}], next: f}
tokens: {code: 0420, empty: }
start: a
nodes:
  a:
    label: A
    do:
      - update_account: {field: contract_end, value: now}
      - update_buying_group_stage: {solution_interest: grid, stage: open}
      - update_buying_group_status: {solution_interest: grid, status: "{{ account.name }} asked"}
      - assign_to_buying_group: {solution_interest: grid, role: champion, top: {2: engagement}}
      - remove_from_buying_group: {solution_interest: grid, who: {role_in_account: left}}
    next: b
  b:
    split: people
    zone: Europe/Stockholm
    paths: [{label: x, when: {person: {country: [SE, NO]}}, do: [{request_campaign: {campaign: plain}}]}]
    otherwise: {do: []}
    next: c
  c: {wait: {until: {account: contract_end, plus: -30 days, at: "09:00"}}, next: d}
  d:
    listen:
      - email_clicked: {template: hi, link: {contains: x}, who: {}, times: 2, people: 2, bots: true, next: e}
      - event: {type: own, where: {size: 3}}
      - form_filled:
      - added_to_buying_group: {solution_interest: grid, role: chief, who: {member_of: {}}}
      - buying_group_stage_changed: {solution_interest: grid, to: won, from: open}
      - buying_group_status_changed: {to: {contains: hot}}
      - engagement_changed: {score: {at_least: 40}, from: {less_than: 40}}
    look_back: 1 hour
    timeout: {after: 3 days, ends_on: {weekdays: [tue], at: "10:00"}, next: e}
    next: e
  e:
    split: accounts
    paths:
      - {label: one, when: {opportunity: {amount: {between: [1, 2]}}, audience: everyone}, next: f}
      - when: {buying_group: {solution_interest: grid, stage: {is_not: lost}, completeness: {at_least: 50}, qualified: false, role: [{name: chief, at_least: 1, at_most: 3}]}}
        next: f
      - {when: {buying_group: {role: {name: champion}}, person: {engagement: {at_least: 40}}}, end: eager}
      - {when: {did: {event: form_filled, since: entry, people: 2}}, end: out}
    otherwise: f
  f: {wait: {for: 1 day, ends_on: morning}, max_visits: {count: 5, end: often}, next: g}
  g:
    call: scoring
    with: {depth: 2, name: "{{ account.name }}"}
    paths:
      - {label: good, when: {score: {at_least: 5}, kind: [a, b]}, next: h}
    timeout: 5 minutes
    failed: h
    next: h
  h:
    variants: accounts
    method: quota
    paths: [{label: one, share: 50, next: i}, {share: 50, end: held}]
  i:
    variants: people
    paths:
      - {share: 30, do: [{person_interesting_moment: {type: web}}]}
      - {label: more, share: 70}
    next: j
  j:
    call: scoring
    of: people
    paths: [{label: warm, when: {ok: true}, do: [{person_interesting_moment: {type: web}}]}]
    next: k
  k:
    decide: accounts
    paths: [{label: keen, prompt: people ask for a meeting, next: l}, {prompt: nobody is heard of, end: quiet}]
    confidence: 0.75
    otherwise: l
  l: {wait: 1 day}
---
service: scoring
url: https://scoring.example/v2
auth: {api_key_env: SCORING_KEY, header: X-Key}
attributes: {tenant: 7, secret: {env: SCORING_SECRET}}
fields: {out: {company: account.name}, in: {industry: account.industry}}
---
service: other
url: https://other.example
auth: {token_url: https://other.example/token, client_id_env: ID, client_secret_env: SECRET}
---
roles_template: team
roles:
  - {role: chief, weight: vital, required: true, members_required: 2, when: {person: {job_title: {starts_with: Chief}}}}
  - {role: champion}
---
stage_model: sales
stages:
  - {stage: open, entry: true, to: [won, lost]}
  - {stage: won, success: true}
  - {stage: lost, failure: true, to: [open]}
---
solution_interest: grid
roles_template: team
stage_model: sales
qualified: {completeness: {at_least: 80}, engagement: {between: [40, 100]}}
---
buying_groups: grid-everyone
solution_interest: grid
audience: everyone
---
score_model: usual
weights: {form_filled: 40, webinar: 60}
window: 4 weeks
daily_cap: 10
active: true
---
score_model: unusual
weights: {form_filled: 0}
---
tests: runs
journey: wide
at: "2026-06-01T08:00:00Z"
until: +30 days
given:
  accounts: [{account_id: a, name: Acme, contract_end: "2026-12-01"}]
  people: [{person_id: p, account_id: a, email: p@a.example, roles: [Chief]}]
  events: [{at: +1 day, type: form_filled, person_id: p, form: ask}]
  changes: [{at: +2 days, account: a, set: {name: Other}}]
expect:
  - account: a
    entries: 1
    path: [a, b]
    effects: [{node: a, action: update_account, outcome: done}]
    exit: exit
    label: won
"""


@cache
def _validator() -> Draft202012Validator:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def fits_schema(document: Any) -> bool:
    """Whether an editor would find nothing wrong with a document."""
    return bool(_validator().is_valid(document))


def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a test, YAML of the same text is read once: reading is most of what validation costs."""
    monkeypatch.setattr(folder, "read_documents", cache(read_documents))


@cache
def misfits(text: str) -> list[Any]:
    """The documents of a text that do not fit the schema; the tests of a file mostly have the same."""
    sources, _ = read_documents(text)
    return [one.data for one in sources if one.data is not None and not fits_schema(one.data)]
