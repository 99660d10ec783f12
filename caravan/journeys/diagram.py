"""A journey's picture: a Mermaid flowchart of its plan, with counters where they are given."""

from collections.abc import Mapping

from caravan.journeys import nodes
from caravan.journeys.nodes import Node
from caravan.journeys.nodes.call import Call
from caravan.journeys.nodes.decide import Decide
from caravan.journeys.nodes.do import Do
from caravan.journeys.nodes.exit import ExitNode
from caravan.journeys.nodes.listen import Listen
from caravan.journeys.nodes.split_accounts import SplitAccounts
from caravan.journeys.nodes.split_people import SplitPeople
from caravan.journeys.nodes.variants_accounts import VariantsAccounts
from caravan.journeys.nodes.variants_people import VariantsPeople
from caravan.journeys.nodes.wait import Wait
from caravan.journeys.plan import Plan
from caravan.journeys.reasons import ExitReason


def mermaid(plan: Plan, counters: Mapping[str, str] | None = None) -> str:
    """The journey as a Mermaid flowchart; the same plan gives the same text."""
    ids = {name: f"n{number}" for number, name in enumerate(plan.nodes)}
    lines = ["flowchart TD", f'  audience(["{_text(plan.audience)}"]) --> {ids[plan.start]}']
    ends: dict[str, str] = {}
    for name, node in plan.nodes.items():
        words = [f"<b>{_text(node.label or name)}</b>", *_summary(node)]
        if counters and name in counters:
            words.append(f"<i>{_text(counters[name])}</i>")
        lines.append(f"  {ids[name]}{_shape(node, '<br/>'.join(words))}")
        for edge, target in nodes.control(node).edges.items():
            words_on_edge = _edge(node, edge)
            arrow = f'-->|"{_text(words_on_edge)}"|' if words_on_edge else "-->"
            if target.node is not None:
                lines.append(f"  {ids[name]} {arrow} {ids[target.node]}")
            else:
                what = target.label or target.reason or ExitReason.COMPLETED
                end = ends.setdefault(what, f"e{len(ends)}")
                lines.append(f"  {ids[name]} {arrow} {end}")
    if plan.exits:
        lines.append('  anywhere(["anywhere"])')
    for one in plan.exits:
        words_on_edge = _text(one.name.partition(":")[2])
        way_out = (
            ids[one.name]
            if one.acts
            else ends.setdefault(one.label or ExitReason.EXIT, f"e{len(ends)}")
        )
        lines.append(f'  anywhere -.->|"{words_on_edge}"| {way_out}')
    lines += [f'  {end}(("{_text(what)}"))' for what, end in ends.items()]
    return "\n".join(lines)


def _shape(node: Node, words: str) -> str:
    match node:
        case SplitAccounts() | VariantsAccounts() | Decide():
            return f'{{"{words}"}}'
        case SplitPeople() | VariantsPeople():
            return f'{{{{"{words}"}}}}'
        case Wait() | Listen() | Call():
            return f'(["{words}"])'
        case _:
            return f'["{words}"]'


def _summary(node: Node) -> list[str]:
    match node:
        case Do() | ExitNode():
            return [_text(_action(action)) for action in node.actions]
        case SplitPeople():
            return ["people"]
        case VariantsAccounts() | VariantsPeople():
            shares = " / ".join(str(path.share) for path in node.paths)
            return [f"{'accounts' if node.kind == 'variants_accounts' else 'people'} {shares} %"]
        case SplitAccounts():
            return ["accounts"]
        case Wait():
            if node.for_ is not None:
                return [f"wait {node.for_}"]
            return ["wait"]
        case Listen():
            return [_text(event.event) for event in node.events]
        case Decide():
            return [f"a model decides, from {node.confidence:.0%} on"]
        case Call():
            return [_text(f"call {node.service}"), node.of.replace("_", " and ")]


def _action(action: object) -> str:
    template = getattr(action, "template", None)
    field = getattr(action, "field", None)
    kind = str(getattr(action, "kind", "")).replace("_", " ")
    return f"{kind} {template or field or ''}".strip()


def _edge(node: Node, edge: str) -> str:
    if isinstance(node, SplitAccounts | VariantsAccounts | Decide | Call) and edge.isdecimal():
        return node.paths[int(edge) - 1].label or edge
    if isinstance(node, Listen) and edge.isdecimal():
        return node.events[int(edge) - 1].event
    return "" if edge == "next" else edge


def _text(words: str) -> str:
    """Safe between the quotes of Mermaid."""
    return (
        words.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
    )
