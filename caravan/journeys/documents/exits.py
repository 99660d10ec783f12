"""A journey's ``exits:``, and the nodes of those that do something or lead on."""

from caravan.journeys.actions.reading import read_actions
from caravan.journeys.control import EXIT
from caravan.journeys.exits import Exit, exit_name
from caravan.journeys.nodes.exit import ExitNode
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope

Read = tuple[tuple[Exit, ...], dict[str, ExitNode]]


def read_exits(fields: Fields, scope: JourneyScope) -> Read | None:
    """The key ``exits``; None where any of them is wrong."""
    exits: list[Exit] = []
    nodes: dict[str, ExitNode] = {}
    fine = True
    for number, raw in enumerate(fields.items("exits"), start=1):
        one = fields.within(raw, "exits", number - 1)
        read = _read_exit(one, number, scope)
        if read is None:
            fine = False
            continue
        way_out, node = read
        if way_out.name in {known.name for known in exits}:
            one.problem(
                "duplicate-label",
                "label" if way_out.label else None,
                f"two exits are named {way_out.label or number}"
                " (an exit without a label is named by its number)",
            )
            fine = False
        exits.append(way_out)
        if node is not None:
            nodes[way_out.name] = node
    fields.fine = fields.fine and fine
    return (tuple(exits), nodes) if fine else None


def is_reserved(node: str) -> bool:
    """Whether a node's name is one that only exits have."""
    return node.startswith(f"{EXIT}:")


def nodes_written(raw: object) -> list[str]:
    """The nodes that a journey's ``exits`` are, as they are written, whether or not they can be read."""
    exits = raw if isinstance(raw, list) else []
    return [
        exit_name(str(one["label"]) if one.get("label") is not None else None, number)
        for number, one in enumerate(exits, start=1)
        if isinstance(one, dict) and (one.get("do") or one.get("next") is not None)
    ]


def _read_exit(
    fields: Fields, number: int, scope: JourneyScope
) -> tuple[Exit, ExitNode | None] | None:
    label = fields.text("label", longest=NAME_LIMIT - len(EXIT) - 1)
    goal = fields.boolean("goal", default=False)
    if fields.fine:
        fields.required("when")
    when = fields.condition("when", "account", scope.conditions)
    actions = read_actions(fields, scope, optional=True)
    to = fields.node("next", scope.conditions)
    if not fields.finish() or when is None or actions is None:
        return None
    acts = bool(actions) or to is not None
    way_out = Exit(name=exit_name(label, number), label=label, goal=goal, when=when, acts=acts)
    node = ExitNode(label=label, next=to, actions=actions, outcome=label) if acts else None
    return way_out, node
