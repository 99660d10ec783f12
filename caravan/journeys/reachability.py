"""The shape of a journey: what can be reached from its start, and loops that nothing slows down."""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from caravan.journeys import nodes
from caravan.journeys.nodes import Node
from caravan.journeys.nodes.listen import Listen
from caravan.journeys.nodes.wait import Wait

Name = TypeVar("Name", bound=Hashable)


def leads_to(node: Node) -> list[str]:
    """The nodes a node's edges lead to, in order, each once."""
    targets = [target.node for target in nodes.control(node).edges.values()]
    return list(dict.fromkeys(target for target in targets if target is not None))


def unreachable(leads: Mapping[str, Iterable[str]], starts: Iterable[str]) -> list[str]:
    """Nodes no account can come to from any start, in the order they are written."""
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        name = todo.pop()
        if name in leads and name not in seen:
            seen.add(name)
            todo += leads[name]
    return [name for name in leads if name not in seen]


def restless_cycles(graph: Mapping[str, Node]) -> list[list[str]]:
    """Cycles without a wait (with a duration or a slot) or a listen: an account would spin in them.

    A listen whose time-out is a fixed moment is none on the way of that time-out: once the moment is past, it is over at once.
    """
    return cycles({name: _at_once(node) for name, node in graph.items()})


def _at_once(node: Node) -> list[str]:
    """The nodes an account may come to without having rested at this one."""
    if not _rests(node):
        return leads_to(node)
    # who has been there too often passes it by
    ways_past = [node.max_visits.next if node.max_visits else None]
    if isinstance(node, Listen) and (timeout := node.timeout) is not None:
        lasts = timeout.after is not None or timeout.ends_on is not None
        ways_past.append(None if lasts else timeout.next)
    return [name for name in ways_past if name is not None]


def cycles(graph: Mapping[Name, Iterable[Name]]) -> list[list[Name]]:
    """Cycles of a graph given as what each name leads to; names it does not have lead nowhere."""
    found: list[list[Name]] = []
    done: set[Name] = set()
    for root in graph:
        if root in done:
            continue
        # iterative, for a graph may be deeper than the interpreter's stack
        path = {root: iter(graph[root])}
        while path:
            name, targets = next(reversed(path.items()))
            target = next(targets, None)
            if target is None:
                done.add(name)
                del path[name]
            elif target in path:
                names = list(path)
                found.append(names[names.index(target) :])
            elif target in graph and target not in done:
                path[target] = iter(graph[target])
    return found


def _rests(node: Node) -> bool:
    if isinstance(node, Listen):
        return True
    return isinstance(node, Wait) and (node.for_ is not None or node.ends_on is not None)
