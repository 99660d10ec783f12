"""Reading ``buying_group`` and ``member_of``: which group, and who in it."""

from typing import Any

from caravan.journeys.conditions.counts import read_count
from caravan.journeys.conditions.group_names import (
    NAMES,
    interests_asked,
    name_known,
    names_known,
)
from caravan.journeys.conditions.model import HasBuyingGroup, MemberOf, RoleCount, Test
from caravan.journeys.conditions.reading_tests import parse_test
from caravan.journeys.conditions.scope import Scope, nearest
from caravan.journeys.fields import FieldType
from caravan.journeys.problems import Path, Report
from caravan.journeys.written import as_written

#: what may be tested of a group
TESTS: dict[str, FieldType] = {
    "solution_interest": "string",
    "stage": "string",
    "status": "string",
    "completeness": "number",
    "engagement": "number",
}
GROUP_KEYS = (*TESTS, "qualified", "role")
MEMBER_KEYS = (*GROUP_KEYS, "removed")
COUNT_KEYS = ("name", "at_least", "at_most")
#: roles that one condition counts
MOST_COUNTS = 20


def read_buying_group(
    raw: object, path: Path, scope: Scope, report: Report
) -> HasBuyingGroup | None:
    """Read ``{solution_interest, stage, status, completeness, engagement, qualified, role}``."""
    reader = _Reader(raw, path, scope, report)
    tests, qualified = reader.tests(GROUP_KEYS), reader.boolean("qualified")
    roles = reader.role_counts()
    if not reader.fine:
        return None
    return HasBuyingGroup(tests=tests, qualified=qualified, roles=tuple(roles))


def read_member_of(raw: object, path: Path, scope: Scope, report: Report) -> MemberOf | None:
    """Read the same keys, where ``role`` is the person's own, and ``removed``."""
    reader = _Reader(raw, path, scope, report)
    tests, qualified = reader.tests(MEMBER_KEYS), reader.boolean("qualified")
    role, removed = reader.test("role", "string"), reader.boolean("removed")
    if not reader.fine:
        return None
    return MemberOf(tests=tests, qualified=qualified, role=role, removed=bool(removed))


class _Reader:
    """Reads one mapping; ``fine`` until something is wrong with it, all of which is reported."""

    def __init__(self, raw: object, path: Path, scope: Scope, report: Report) -> None:
        self.fine = isinstance(raw, dict)
        self.raw: dict[str, Any] = raw if isinstance(raw, dict) else {}
        self.path, self.scope, self.report = path, scope, report
        self.interests = interests_asked(self.raw.get("solution_interest"))
        if not self.fine:
            report(
                "bad-value",
                path,
                f"{path[-1]} takes a mapping such as {{solution_interest: grid, stage: open}}",
            )

    def tests(self, keys: tuple[str, ...]) -> dict[str, Test]:
        """The tests of the group's own; other keys than these are reported."""
        for key in self.raw:
            if key not in keys:
                self._refuse("unknown-key", (key,), f"no key {key}{nearest(key, keys)}")
        read = {key: self.test(key, kind) for key, kind in TESTS.items()}
        return {key: test for key, test in read.items() if test is not None}

    def test(self, key: str, kind: FieldType) -> Test | None:
        if key not in self.raw:
            return None
        path = (*self.path, key)
        test = parse_test(self.raw[key], kind, path, self.report)
        known = key not in NAMES or (
            test is None or names_known(key, test, self.interests, path, self.scope, self.report)
        )
        self.fine = self.fine and known and test is not None
        return test

    def boolean(self, key: str) -> bool | None:
        value = self.raw.get(key)
        if key in self.raw and not isinstance(value, bool):
            self._refuse("bad-value", (key,), f"{key} takes true or false")
            return None
        return value

    def role_counts(self) -> list[RoleCount]:
        """``role``: a mapping, or a list of them."""
        if "role" not in self.raw:
            return []
        raw = self.raw["role"]
        several = isinstance(raw, list)
        if not isinstance(raw, dict) and not (several and 1 <= len(raw) <= MOST_COUNTS):
            self._refuse(
                "bad-value",
                ("role",),
                f"role takes {{name, at_least, at_most}}, or a list of 1 to {MOST_COUNTS} of them",
            )
            return []
        if several:
            counts = [self._role_count(one, ("role", number)) for number, one in enumerate(raw)]
        else:
            counts = [self._role_count(raw, ("role",))]
        return [count for count in counts if count is not None]

    def _role_count(self, raw: object, place: Path) -> RoleCount | None:
        if not isinstance(raw, dict) or isinstance(raw.get("name"), dict | list | type(None)):
            self._refuse("missing-key", place, "role names one: {name: champion, at_least: 1}")
            return None
        for key in raw:
            if key not in COUNT_KEYS:
                self._refuse(
                    "unknown-key", (*place, key), f"no key {key}{nearest(key, COUNT_KEYS)}"
                )
        name, path = as_written(raw["name"]), (*self.path, *place)
        known = name_known("role", name, self.interests, (*path, "name"), self.scope, self.report)
        least = read_count(raw, "at_least", 1, path, self.report, least=0)
        most = read_count(raw, "at_most", 0, path, self.report, least=0)
        if not known or least is None or most is None:
            self.fine = False
            return None
        if "at_most" not in raw:
            return RoleCount(name=name, at_least=least)
        if most < least:
            self._refuse(
                "bad-value",
                (*place, "at_most"),
                f"at_least is {least}{'' if 'at_least' in raw else ' where it is absent'}, so this"
                " holds for no group; for nobody write at_least: 0 too",
            )
            return None
        return RoleCount(name=name, at_least=least, at_most=most)

    def _refuse(self, code: str, place: Path, message: str) -> None:
        self.fine = False
        self.report(code, (*self.path, *place), message)
