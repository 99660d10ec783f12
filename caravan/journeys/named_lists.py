"""Reading a workspace's lists: each on its own, then with the dynamic lists it names in their place."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from caravan.journeys.conditions.model import Condition
from caravan.journeys.conditions.naming import ListName, in_place, lists_named, parts_of, walk
from caravan.journeys.conditions.scope import KnownList, Scope
from caravan.journeys.cross_checks import in_rings
from caravan.journeys.documents import LISTS, ListDocument, WorkspaceDocument, read_list
from caravan.journeys.documents.lists import is_dynamic
from caravan.journeys.folder import Folder

#: conditions of a dynamic list and of all it is made of: each is part of one statement
MOST_CONDITIONS = 1000
#: how deeply they may be nested in each other
MOST_DEEP = 100


@dataclass(frozen=True)
class Lists:
    """The lists of a workspace; a dynamic one's condition has those it names in their place."""

    documents: dict[ListName, ListDocument]
    known: dict[ListName, KnownList]

    def within(self, scope: Scope) -> Scope:
        """A scope whose conditions may name them."""
        return replace(
            scope,
            account_lists={slug: one for (of, slug), one in self.known.items() if of == "accounts"},
            people_lists={slug: one for (of, slug), one in self.known.items() if of == "people"},
        )


def read_lists(folder: Folder, settings: WorkspaceDocument, scope: Scope) -> Lists:
    """Read every list of the folder.

    Args:
        folder: takes the problems.
        settings: of the workspace, whose zone is the lists'.
        scope: of conditions in the engage store.
    """
    declared: Mapping[ListName, KnownList] = {
        (of, document.slug): KnownList(dynamic=is_dynamic(document.source.data), zone=settings.zone)
        for kind, of in LISTS.items()
        for document in folder.of(kind)
    }
    scope = Lists({}, dict(declared)).within(scope)
    read: dict[ListName, ListDocument] = {}
    for kind in LISTS:
        for document in folder.of(kind):
            one = read_list(folder.fields(document), kind, scope, settings.zone, folder.directory)
            if one is not None:
                read[(one.of, one.list)] = one
    conditions = _in_place(folder, {name: one.when for name, one in read.items() if one.when})
    known = {name: replace(one, when=conditions.get(name)) for name, one in declared.items()}
    documents = {
        name: one.model_copy(update={"when": conditions[name]}) if name in conditions else one
        for name, one in read.items()
        if one.when is None or name in conditions
    }
    return Lists(documents, known)


def _in_place(
    folder: Folder, conditions: Mapping[ListName, Condition]
) -> dict[ListName, Condition]:
    """The conditions, made of other lists no more; what cannot be so is reported and left out."""
    names = {name: sorted(lists_named(one)) for name, one in conditions.items()}
    circular = set(in_rings(names))
    for name in names:
        if name in circular:
            _refuse(
                folder, name, "circular-reference", "refers to itself; leave one of the names out"
            )
    whole: dict[ListName, Condition] = {}
    size: dict[ListName, int] = {}
    depth: dict[ListName, int] = {}
    for name in _inner_first({one: names[one] for one in names if one not in circular}):
        inner = [one for one in names[name] if one in conditions]
        if not all(one in whole for one in inner):
            continue  # made of one that was refused
        condition = conditions[name]
        depth[name] = _depth(condition, depth)
        size[name] = sum(
            1 + size.get((one.of, one.list), 0) if one.kind == "list" else 1
            for one in walk(condition)
        )
        if size[name] > MOST_CONDITIONS or depth[name] > MOST_DEEP:
            reason = (
                f"has more than {MOST_CONDITIONS} conditions, or {MOST_DEEP} nested in each other,"
                " with the lists it is made of; make one of them static"
            )
            _refuse(folder, name, "bad-value", reason)
            continue
        whole[name] = in_place(condition, whole)
    return whole


def _depth(condition: Condition, depth: Mapping[ListName, int]) -> int:
    if condition.kind == "list":
        return 1 + depth.get((condition.of, condition.list), 0)
    return 1 + max((_depth(part, depth) for part in parts_of(condition)), default=0)


def _inner_first(names: Mapping[ListName, list[ListName]]) -> list[ListName]:
    """Each list behind those it names; none of them is in a ring."""
    order: dict[ListName, None] = {}
    for root in names:
        todo = [root]
        while todo:
            waiting = [one for one in names[todo[-1]] if one in names and one not in order]
            if waiting:
                todo += waiting
            else:
                order[todo.pop()] = None
    return list(order)


def _refuse(folder: Folder, name: ListName, code: str, reason: str) -> None:
    of, slug = name
    kind = next(kind for kind, whose in LISTS.items() if whose == of)
    folder.fields(folder.named[(kind, slug)]).problem(code, "when", f"list {slug} {reason}")
