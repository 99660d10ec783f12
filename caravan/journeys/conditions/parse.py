"""Reading conditions from a document, with every problem reported at its place."""

from collections.abc import Callable

from caravan.journeys.conditions import model
from caravan.journeys.conditions.counts import read_count
from caravan.journeys.conditions.model import Condition
from caravan.journeys.conditions.naming import ListOf, walk
from caravan.journeys.conditions.reading_did import read_did
from caravan.journeys.conditions.reading_events import EventTests, parse_event
from caravan.journeys.conditions.reading_groups import read_buying_group, read_member_of
from caravan.journeys.conditions.reading_tests import parse_test, parse_tests
from caravan.journeys.conditions.scope import Context, Scope, nearest, plural
from caravan.journeys.fields import Entity, FieldCatalog
from caravan.journeys.problems import Path, Report
from caravan.journeys.written import as_written, shown

__all__ = [
    "Context",
    "EventTests",
    "Scope",
    "nearest",
    "parse_condition",
    "parse_event",
    "parse_test",
]

PEOPLE_ONLY = frozenset({"role_in_account", "member_of", "people_list", "heard"})
ACCOUNT_ONLY = frozenset({"buying_group", "people"})
ENGAGE_ONLY = frozenset({"buying_group", "member_of", "account_list", "people_list", "heard"})
MEMBERSHIP = frozenset({"buying_group", "member_of"})

#: why a roles template does not ask for members
DECIDES = "a roles template decides who is in a group, so it cannot ask for it"


def parse_condition(
    raw: object, context: Context, path: Path, scope: Scope, report: Report
) -> Condition | None:
    """Read a condition mapping; several keys are ANDed, an empty mapping is true.

    Returns:
        None where it cannot be used; every problem has been reported.
    """
    if not isinstance(raw, dict):
        report("bad-value", path, "a condition is a mapping such as {account: {industry: Energy}}")
        return None
    reader = _Reader(context, scope, report)
    parts = [reader.part(str(key), value, (*path, key)) for key, value in raw.items()]
    known = tuple(part for part in parts if part is not None)
    if len(known) < len(parts):
        return None
    return known[0] if len(known) == 1 else model.All(of=known)


def condition_keys(context: Context) -> list[str]:
    """The keys that a condition about accounts or about people may have."""
    others = PEOPLE_ONLY if context == "account" else ACCOUNT_ONLY
    known = _Reader(context, Scope(FieldCatalog()), lambda *_, **__: None).parts
    return [key for key in known if key not in others]


class _Reader:
    """Reads the keys of one condition mapping."""

    def __init__(self, context: Context, scope: Scope, report: Report) -> None:
        self.context = context
        self.scope = scope
        self.report = report
        self.parts: dict[str, Callable[[object, Path], Condition | None]] = {
            "all": lambda raw, path: self._several(raw, path, model.All),
            "any": lambda raw, path: self._several(raw, path, model.Any),
            "not": self._not,
            "account": lambda raw, path: self._record(raw, path, "account", model.AccountIs),
            "person": lambda raw, path: self._record(raw, path, "person", model.PersonIs),
            "opportunity": lambda raw, path: self._record(
                raw, path, "opportunity", model.HasOpportunity
            ),
            "people": self._people,
            "role_in_account": self._role,
            "audience": self._audience,
            "account_list": lambda raw, path: self._list(raw, path, "accounts"),
            "people_list": lambda raw, path: self._list(raw, path, "people"),
            "buying_group": lambda raw, path: read_buying_group(raw, path, self.scope, self.report),
            "member_of": lambda raw, path: read_member_of(raw, path, self.scope, self.report),
            "heard": self._heard,
            "did": lambda raw, path: self._did(raw, path, negated=False),
            "did_not": lambda raw, path: self._did(raw, path, negated=True),
        }

    def part(self, key: str, raw: object, path: Path) -> Condition | None:
        if self.scope.store == "platform" and key in ENGAGE_ONLY:
            self.report(
                "wrong-context",
                path,
                f"{key} lives in the engage store only; an audience is evaluated in the Platform",
            )
        elif self.scope.of_template and key in MEMBERSHIP:
            self.report("wrong-context", path, f"{key}: {DECIDES}")
        elif (self.context == "account" and key in PEOPLE_ONLY) or (
            self.context == "person" and key in ACCOUNT_ONLY
        ):
            other = "people" if self.context == "account" else "accounts"
            self.report("wrong-context", path, f"{key} is for conditions on {other}")
        elif key not in self.parts:
            self.report("unknown-key", path, f"no condition {key}{nearest(key, self.parts)}")
        else:
            return self.parts[key](raw, path)
        return None

    def _several(
        self, raw: object, path: Path, kind: type[model.All] | type[model.Any]
    ) -> Condition | None:
        if not isinstance(raw, list) or not raw:
            self.report("bad-value", path, f"{path[-1]} takes a list of conditions")
            return None
        parts = [
            parse_condition(one, self.context, (*path, number), self.scope, self.report)
            for number, one in enumerate(raw)
        ]
        known = tuple(part for part in parts if part is not None)
        return kind(of=known) if len(known) == len(parts) else None

    def _not(self, raw: object, path: Path) -> Condition | None:
        part = parse_condition(raw, self.context, path, self.scope, self.report)
        return model.Not(of=part) if part is not None else None

    def _record(
        self,
        raw: object,
        path: Path,
        entity: Entity,
        kind: type[model.AccountIs] | type[model.PersonIs] | type[model.HasOpportunity],
    ) -> Condition | None:
        tests = parse_tests(raw, entity, path, self.scope, self.report)
        return kind(tests=tests) if tests is not None else None

    def _people(self, raw: object, path: Path) -> Condition | None:
        if not isinstance(raw, dict) or "when" not in raw:
            self.report("missing-key", path, "people needs a condition: {when: …, at_least: 1}")
            return None
        keys = ("when", "at_least", "at_most")
        unknown = [key for key in raw if key not in keys]
        for key in unknown:
            self.report("unknown-key", (*path, key), f"no key {key}{nearest(key, keys)}")
        least = read_count(raw, "at_least", 1, path, self.report, least=0)
        most = read_count(raw, "at_most", 0, path, self.report, least=0)
        when = parse_condition(raw["when"], "person", (*path, "when"), self.scope, self.report)
        if unknown or when is None or least is None or most is None:
            return None
        if "at_most" not in raw:
            return model.People(when=when, at_least=least)
        if most == 0 and "at_least" not in raw:
            self.report(
                "bad-value",
                (*path, "at_most"),
                "at_least is 1 where it is absent, so this holds for no account;"
                " for nobody write at_least: 0 too",
            )
            return None
        return model.People(when=when, at_least=least, at_most=most)

    def _role(self, raw: object, path: Path) -> Condition | None:
        test = parse_test(raw, "string", path, self.report)
        return model.RoleInAccount(test=test) if test is not None else None

    def _audience(self, raw: object, path: Path) -> Condition | None:
        if not isinstance(raw, str) or raw not in self.scope.audiences:
            near = nearest(raw, self.scope.audiences)
            self.report("unknown-audience", path, f"no audience {shown(raw)}{near}")
            return None
        of_people = self.scope.people_audiences
        if of_people is not None and (raw in of_people) != (self.context == "person"):
            self.report(
                "wrong-context",
                path,
                f"{raw} is an audience of {'people' if raw in of_people else 'accounts'};"
                f" this is a condition on {plural(self.context)}",
            )
            return None
        return model.InAudience(audience=raw)

    def _list(self, raw: object, path: Path, of: ListOf) -> Condition | None:
        lists = {"accounts": self.scope.account_lists, "people": self.scope.people_lists}
        other = "people" if of == "accounts" else "accounts"
        slug = "" if isinstance(raw, dict | list) else as_written(raw)
        if slug in lists[of]:
            known = lists[of][slug]
            if self.scope.of_template and _asks_for_members(known.when):
                self.report("wrong-context", path, f"{slug} asks for members; {DECIDES}")
                return None
            return model.InList(of=of, list=slug, zone=known.zone, when=known.when)
        if slug in lists[other]:
            self.report("wrong-context", path, f"{slug} is a list of {other}")
        else:
            near = nearest(slug, lists[of])
            self.report("unknown-list", path, f"no list {shown(raw)} of {of}{near}")
        return None

    def _heard(self, raw: object, path: Path) -> Condition | None:
        if not self.scope.in_journey:
            self.report("wrong-context", path, "heard is for conditions of journeys")
            return None
        names = raw if isinstance(raw, list) else [raw]
        fine = bool(names)
        for number, name in enumerate(names):
            place = (*path, number) if isinstance(raw, list) else path
            if str(name) in self.scope.listens:
                continue
            fine = False
            near = nearest(name, self.scope.listens)
            if str(name) in self.scope.nodes:
                self.report("bad-value", place, f"{name} is no listen{near}")
            else:
                self.report("unknown-node", place, f"no node {shown(name)}{near}")
        if not names:
            self.report("bad-value", path, "heard takes a node or a list of nodes")
        return model.Heard(nodes=tuple(map(str, names))) if fine else None

    def _did(self, raw: object, path: Path, *, negated: bool) -> Condition | None:
        return read_did(raw, self.context, path, self.scope, self.report, negated=negated)


def _asks_for_members(condition: Condition | None) -> bool:
    return condition is not None and any(one.kind in MEMBERSHIP for one in walk(condition))
