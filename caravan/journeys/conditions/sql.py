"""The one condition compiler: a condition as parameterised SQL over the core tables.

Aliases it relies on: ``a`` accounts, ``p`` people, ``r`` the relation between them (people context of
a journey). Audiences compile to a predicate over a whole table, splits to the same predicate on one
row. Domain time and the traversal are named parameters; ``now()`` is never called.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from caravan.journeys.conditions import groups, history, model
from caravan.journeys.conditions.binder import Binder
from caravan.journeys.conditions.checks import described, sql_of_days, sql_of_test
from caravan.journeys.conditions.flips import flips_of
from caravan.journeys.conditions.history import activity_predicate, event_predicate
from caravan.journeys.conditions.model import Condition, Test
from caravan.journeys.conditions.operators import NEGATIVE
from caravan.journeys.conditions.related import (
    accounts_of_person,
    among,
    opportunities_of_account,
    people_of_account,
    people_of_accounts,
)
from caravan.journeys.conditions.scope import Context
from caravan.journeys.conditions.values import quoted, text_of, value_of
from caravan.journeys.fields import ENGAGEMENT, PERSONA

__all__ = [
    "Binder",
    "Fragment",
    "activity_predicate",
    "compile_condition",
    "compile_tests",
    "event_predicate",
]


@dataclass(frozen=True)
class Fragment:
    """A compiled condition.

    ``evidence`` are (label, SQL value) pairs that say what it looked at; ``flips`` are SQL instants
    (null: never) after ``as_of`` at which it may change by time alone.
    """

    predicate: str
    evidence: tuple[tuple[str, str], ...] = ()
    flips: tuple[str, ...] = ()


def compile_condition(
    condition: Condition,
    context: Context,
    binder: Binder,
    *,
    travelling: bool = True,
    flips: bool = False,
    audiences: Mapping[str, Condition] | None = None,
    picking: bool = False,
    of_all: bool = False,
) -> Fragment:
    """Compile a condition.

    Args:
        condition: from the plan or the audience.
        context: what is asked about: an account (alias ``a``) or a person (alias ``p``).
        binder: takes the parameters, and says whose days and clock times are meant.
        travelling: in people context, whether an account is being moved (aliases ``a`` and ``r`` are
            there); else the account is any account of the person.
        flips: only the flips are wanted. A parameter that no text mentions is an error, so the binder
            then takes theirs alone and the predicate is of no use.
        audiences: the conditions of the audiences it may name, put in their place; a name that is
            not among them stands for its stored members.
        picking: the predicate picks rows of a ``where``; it may be unknown where it is not true.
        of_all: everybody is asked about at once: what can be gathered once is not looked up for each.
    """
    compiler = _Compiler(
        Binder(binder.zone) if flips else binder,
        travelling,
        audiences or {},
        flips=binder if flips else None,
        picking=picking,
        of_all=of_all,
    )
    return compiler.compile(condition, context)


def compile_tests(tests: dict[str, Test], alias: str, binder: Binder) -> str:
    """Tests on the fields of the record ``alias``, as a predicate."""
    return _Compiler(binder, True, {}).tests(tests, alias)[0]


#: conditions that hold no others of the same record
Leaf = (
    model.AccountIs
    | model.PersonIs
    | model.People
    | model.RoleInAccount
    | model.HasOpportunity
    | model.InAudience
    | model.InList
    | model.HasBuyingGroup
    | model.MemberOf
    | model.Heard
)


@dataclass(frozen=True)
class _Compiler:
    binder: Binder
    travelling: bool
    audiences: Mapping[str, Condition]
    flips: Binder | None = None
    picking: bool = False
    of_all: bool = False
    negated: bool = False
    """It stands under a ``not``: each part takes the negation upon itself, so that joins become anti-joins."""

    def compile(self, condition: Condition, context: Context) -> Fragment:
        match condition:
            case model.All(of=parts):
                return self._joined(parts, context, every=not self.negated)
            case model.Any(of=parts):
                return self._joined(parts, context, every=self.negated)
            case model.Not(of=part):
                return replace(self, negated=not self.negated).compile(part, context)
            case model.InAudience(audience=name) if name in self.audiences:
                others = {slug: one for slug, one in self.audiences.items() if slug != name}
                inside = replace(self, travelling=False, audiences=others)
                return inside.compile(self.audiences[name], context)
            case model.Did():
                return self._did(condition, context)
            case leaf if self.negated:
                one = replace(self, negated=False, picking=False)._leaf(leaf, context)
                return Fragment(f"not ({one.predicate})", one.evidence, one.flips)
            case leaf:
                return self._leaf(leaf, context)

    def _leaf(self, condition: Leaf, context: Context) -> Fragment:
        match condition:
            case model.AccountIs():
                return self._account(condition, context)
            case model.PersonIs():
                return self._person(condition, context)
            case model.People():
                return self._people(condition)
            case model.RoleInAccount():
                return self._role(condition)
            case model.HasOpportunity():
                return self._opportunity(condition, context)
            case model.InAudience():
                return self._in_audience(condition, context)
            case model.InList():
                return self._in_list(condition, context)
            case model.HasBuyingGroup():
                holds, because = groups.has_group(condition, self.binder)
                return Fragment(holds, (because,))
            case model.MemberOf():
                holds, because = groups.member_of(
                    condition, self.binder, travelling=self.travelling
                )
                return Fragment(holds, (because,))
            case model.Heard():
                return self._heard(condition)

    def _joined(self, parts: tuple[Condition, ...], context: Context, *, every: bool) -> Fragment:
        joiner, empty = (" and ", "true") if every else (" or ", "false")
        fragments = [self.compile(part, context) for part in parts]
        return Fragment(
            joiner.join(f"({fragment.predicate})" for fragment in fragments) or empty,
            tuple(pair for fragment in fragments for pair in fragment.evidence),
            tuple(flip for fragment in fragments for flip in fragment.flips),
        )

    @property
    def _picking(self) -> "_Compiler":
        """For what stands in the ``where`` of a subquery, which is true or false whatever is in it."""
        return replace(self, picking=True, negated=False)

    def tests(self, tests: dict[str, Test], alias: str) -> tuple[str, list[str]]:
        """The predicate of several fields of one record, and its flips."""
        parts, flips = [], []
        for field, test in tests.items():
            value = self._value(alias, field, test)
            if self.picking and test.type == "date":
                text = text_of(f"{alias}.attributes", field)
                parts.append(sql_of_days(test, text, self.binder))
            parts.append(f"({sql_of_test(test, value, self.binder, picking=self.picking)})")
            flips += flips_of(test, value, self.flips) if self.flips else []
        return " and ".join(parts) or "true", flips

    def _value(self, alias: str, field: str, test: Test) -> str:
        """The field of a record, or the persona, the score or the engagement of a person."""
        if (alias, field) == ("p", PERSONA):
            return f"{alias}.{PERSONA}"
        if test.start is None:
            return value_of(f"{alias}.attributes", field, test.type)
        start = self.binder.literal(test.start, "numeric")
        given = (
            f"select s.score from engagement_people s where s.person_id = {alias}.id"
            if field == ENGAGEMENT
            else f"select s.value from scores s where s.person_id = {alias}.id"
            f" and s.score = {quoted(field)}"
        )
        return f"coalesce(({given}), {start})"

    def _account(self, condition: model.AccountIs, context: Context) -> Fragment:
        if context == "account" or self.travelling:
            return self._this("account", "a", condition.tests)
        return self._some("account", "a", accounts_of_person(), condition.tests)

    def _person(self, condition: model.PersonIs, context: Context) -> Fragment:
        if context == "person":
            return self._this("person", "p", condition.tests)
        return self._some("person", "p", people_of_account(), condition.tests)

    def _opportunity(self, condition: model.HasOpportunity, context: Context) -> Fragment:
        if context == "account" or self.travelling:
            source = opportunities_of_account()
        else:
            opportunities = "join opportunities o on o.account_id = a.id"
            source = f"{accounts_of_person(opportunities)} and o.deleted_at is null"
        return self._some("opportunity", "o", source, condition.tests)

    def _this(self, entity: str, alias: str, tests: dict[str, Test]) -> Fragment:
        """The record in hand passes every test."""
        predicate, flips = self.tests(tests, alias)
        evidence = tuple(
            (
                f"{entity}.{field}",
                self._value(alias, field, test)
                if test.start is not None or (alias, field) == ("p", PERSONA)
                else f"{alias}.attributes -> {quoted(field)}",
            )
            for field, test in tests.items()
        )
        return Fragment(predicate, evidence, tuple(flips))

    def _some(self, entity: str, alias: str, source: str, tests: dict[str, Test]) -> Fragment:
        """One of several records passes every test; which one is the evidence."""
        predicate, flips = self._picking.tests(tests, alias)
        found = f"(select min({alias}.id) {source} and {predicate})"
        return Fragment(
            f"exists (select {source} and {predicate})",
            ((f"{entity}({described(tests)})", found),),
            _soonest(flips, source),
        )

    def _people(self, condition: model.People) -> Fragment:
        # the account whose people are counted is the account of their conditions
        inner = replace(self._picking, travelling=True).compile(condition.when, "person")
        people = people_of_account()
        matching = f"{people} and ({inner.predicate})"
        count = f"(select count(*) {matching})"
        least, most = condition.at_least, condition.at_most
        if most is None and least == 1:
            predicate = f"exists (select {matching})"
        elif self.of_all and max(least, most or 0) > 0:
            predicate = self._gathered_people(inner.predicate, least, most)
        else:
            predicate = self._bounded(count, least, most)
        return Fragment(predicate, (("people", count),), _soonest(list(inner.flips), people))

    def _gathered_people(self, matching: str, least: int, most: int | None) -> str:
        """Counted for all accounts at once; who has none of them is in no group."""
        source = people_of_accounts("join accounts a on a.id = r.account_id")
        grouped = f"select a.id as subject_id {source} and ({matching}) group by a.id having"
        if least > 0:
            return among("a.id", f"{grouped} {self._bounded('count(*)', least, most)}")
        assert most is not None
        most_of_all = self.binder.literal(most, "bigint")
        return f"not {among('a.id', f'{grouped} count(*) > {most_of_all}')}"

    def _bounded(self, count: str, least: int, most: int | None) -> str:
        bounds = [f"{count} >= {self.binder.literal(least, 'bigint')}"]
        if most is not None:
            bounds.append(f"{count} <= {self.binder.literal(most, 'bigint')}")
        return " and ".join(bounds)

    def _role(self, condition: model.RoleInAccount) -> Fragment:
        each = (
            "jsonb_array_elements_text(case jsonb_typeof(r.attributes -> 'roles')"
            " when 'array' then r.attributes -> 'roles' else '[]' end) as role (name)"
        )
        source = (
            f"from {each} where true"
            if self.travelling
            else accounts_of_person(f"cross join {each}")
        )
        roles = f"{source} and role.name <> ''"
        parts = []
        for check in condition.test.checks:
            if check.operator == "empty":
                parts.append(f"{'not ' if check.operands[0] else ''}exists (select {roles})")
                continue
            one = sql_of_test(Test(type="string", checks=(check,)), "role.name", self.binder)
            # a negative operator needs that no role fits: deny the positive on all of them
            parts.append(
                f"not exists (select {roles} and not ({one}))"
                if check.operator in NEGATIVE
                else f"exists (select {roles} and {one})"
            )
        return Fragment(
            " and ".join(parts) or "true",
            (("role_in_account", f"(select jsonb_agg(role.name) {roles})"),),
        )

    def _in_audience(self, condition: model.InAudience, context: Context) -> Fragment:
        audience = self.binder.literal(condition.audience, "text")
        subject = "a.id" if context == "account" else "p.id"
        return Fragment(
            "exists (select from audience_members m"
            f" where m.audience = {audience} and m.subject_id = {subject})"
        )

    def _in_list(self, condition: model.InList, context: Context) -> Fragment:
        name = f"{'account' if condition.of == 'accounts' else 'people'}_list({condition.list})"
        if condition.of == "accounts" and context == "person" and not self.travelling:
            # any account of the person, as for `account` and `opportunity`
            some, source = self._is_listed(condition, "account"), accounts_of_person()
            predicate = f"exists (select {source} and ({some.predicate}))"
            return Fragment(predicate, ((name, f"({predicate})"),), _soonest([*some.flips], source))
        whose: Context = "account" if condition.of == "accounts" else "person"
        listed = self._is_listed(condition, whose)
        evidence = ((name, f"({listed.predicate})"), *listed.evidence)
        return Fragment(listed.predicate, evidence, listed.flips)

    def _is_listed(self, condition: model.InList, context: Context) -> Fragment:
        """Whether the account ``a`` or the person ``p`` is in a list."""
        if condition.when is not None:
            inside = replace(
                self,
                travelling=False,
                binder=self.binder.in_zone(condition.zone),
                flips=self.flips and self.flips.in_zone(condition.zone),
            )
            return inside.compile(condition.when, context)
        of, slug = (
            self.binder.literal(condition.of, "text"),
            self.binder.literal(condition.list, "text"),
        )
        subject = "a.id" if context == "account" else "p.id"
        return Fragment(
            f"exists (select from list_members m where m.of = {of} and m.list = {slug}"
            f" and m.subject_id = {subject})"
        )

    def _heard(self, condition: model.Heard) -> Fragment:
        traversal = self.binder.named("traversal_id", "bigint")
        nodes = self.binder.literal(list(condition.nodes), "text[]")
        # a later visit that heard somebody else, or nobody, is what counts
        return Fragment(
            "exists (select from (select distinct on (l.node) l.person_id from listeners l"
            f" where l.traversal_id = {traversal} and l.node = any({nodes})"
            " and l.purpose = 'listen' and l.closed_at is not null"
            " order by l.node, l.step_no desc) latest where latest.person_id = p.id)"
        )

    def _did(self, condition: model.Did, context: Context) -> Fragment:
        asked: history.Asked = context
        if context == "person" and self.travelling:
            asked = "person of the account"
        negated = condition.negated is not self.negated
        predicate = None
        if negated:
            predicate = history.never_happened(condition, asked, self.binder)
        if predicate is None:
            happened = history.happened(condition, asked, self.binder, of_all=self.of_all)
            predicate = f"not ({happened})" if negated else f"({happened})"
        return Fragment(
            predicate,
            ((history.label(condition), history.times(condition, asked, self.binder)),),
            history.history_flips(condition, asked, self.flips) if self.flips else (),
        )


def _soonest(flips: list[str], source: str) -> tuple[str, ...]:
    """The soonest flip over the related records.

    An aggregate over a flip that looks at the outer record alone would be the outer query's, hence
    the table between.
    """
    return tuple(
        f"(select min(each.flip) from (select {flip} as flip {source}) each)" for flip in flips
    )
