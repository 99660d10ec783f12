"""Placing a graph on a plane: layers from top to bottom, as few crossings as a few sweeps find.

The usual way (Sugiyama): break cycles, put every vertex below all that lead to it, bend long edges
through the layers between, order each layer by where its neighbours are, then set the columns.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

SWEEPS = 12

Pair = tuple[str, str]


@dataclass
class Layout:
    """Where everything is, in columns (of any fraction) and rows from 0."""

    places: dict[str, tuple[float, int]] = field(default_factory=dict)
    bends: dict[Pair, list[tuple[float, int]]] = field(default_factory=dict)
    backward: set[Pair] = field(default_factory=set)


def lay_out(vertices: Sequence[str], edges: Sequence[Pair], root: str) -> Layout:
    """Place vertices; the same graph is placed the same way."""
    backward = _backward(vertices, edges, root)
    forward = [pair for pair in edges if pair not in backward and pair[0] != pair[1]]
    rows = _rows(vertices, forward)
    layers: list[list[str]] = [[] for _ in range(max(rows.values(), default=0) + 1)]
    for name in vertices:
        layers[rows[name]].append(name)
    chains: dict[Pair, list[str]] = {}
    for tail, head in forward:
        chain = [tail]
        for row in range(rows[tail] + 1, rows[head]):
            bend = f"\0bend:{tail}\0{head}\0{row}"
            layers[row].append(bend)
            chain.append(bend)
        chains[(tail, head)] = [*chain, head]
    links = [pair for chain in chains.values() for pair in pairwise(chain)]
    above, below = _neighbours((head, tail) for tail, head in links), _neighbours(links)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for number in range(len(layers)) if down else reversed(range(len(layers))):
            _order(layers, number, above if down else below)
    columns = _columns(layers, above, below)
    layout = Layout(backward=backward)
    for row, layer in enumerate(layers):
        for name in layer:
            if not name.startswith("\0bend:"):
                layout.places[name] = (columns[name], row)
    for pair, chain in chains.items():
        layout.bends[pair] = [
            (columns[name], rows[pair[0]] + number) for number, name in enumerate(chain)
        ][1:-1]
    return layout


def _backward(vertices: Sequence[str], edges: Sequence[Pair], root: str) -> set[Pair]:
    """Edges that close a cycle, seen from the root: without them nothing turns in a circle."""
    leads: dict[str, list[str]] = {name: [] for name in vertices}
    for tail, head in edges:
        leads[tail].append(head)
    backward: set[Pair] = set()
    done: set[str] = set()
    for first in [root, *vertices]:
        if first in done:
            continue
        trail, stack = {first}, [(first, iter(leads[first]))]
        while stack:
            name, heads = stack[-1]
            head = next(heads, "")
            if not head:
                stack.pop()
                trail.discard(name)
                done.add(name)
            elif head in trail:
                backward.add((name, head))
            elif head not in done:
                trail.add(head)
                stack.append((head, iter(leads[head])))
    return backward


def _rows(vertices: Sequence[str], forward: Sequence[Pair]) -> dict[str, int]:
    """One below the lowest that leads there."""
    rows = dict.fromkeys(vertices, 0)
    for _ in vertices:
        moved = False
        for tail, head in forward:
            if rows[head] <= rows[tail]:
                rows[head] = rows[tail] + 1
                moved = True
        if not moved:
            break
    return rows


def _neighbours(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one, other in pairs:
        found.setdefault(one, []).append(other)
    return found


def _order(layers: list[list[str]], number: int, neighbours: Mapping[str, list[str]]) -> None:
    """Order a layer by the mean place of its neighbours in the one it looks at."""
    places = {
        name: place / max(1, len(layer) - 1) if len(layer) > 1 else 0.5
        for layer in layers
        for place, name in enumerate(layer)
    }

    def mean(name: str) -> float:
        around = [places[one] for one in neighbours.get(name, ())]
        return sum(around) / len(around) if around else places[name]

    layers[number] = sorted(layers[number], key=mean)


def _columns(
    layers: Sequence[Sequence[str]],
    above: Mapping[str, list[str]],
    below: Mapping[str, list[str]],
) -> dict[str, float]:
    """Columns near their neighbours', in the order of the layer and no nearer than their widths."""
    columns: dict[str, float] = {}
    for layer in layers:
        at = -sum(map(_width, layer)) / 2
        for name in layer:
            columns[name] = at + _width(name) / 2
            at += _width(name)
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = []
            for name in layer:
                around = [columns[one] for one in (*above.get(name, ()), *below.get(name, ()))]
                wanted.append(sum(around) / len(around) if around else columns[name])
            settled = settle([_width(name) for name in layer], wanted)
            columns.update(zip(layer, settled, strict=True))
    least = min((columns[name] - _width(name) / 2 for name in columns), default=0.0)
    return {name: column - least for name, column in columns.items()}


def settle(widths: Sequence[float], wanted: Sequence[float]) -> list[float]:
    """As near to where they want as their order and widths allow: the mean of pushing from each side."""
    left, right = list(wanted), list(wanted)
    for number in range(1, len(wanted)):
        apart = (widths[number - 1] + widths[number]) / 2
        left[number] = max(left[number], left[number - 1] + apart)
    for number in range(len(wanted) - 2, -1, -1):
        apart = (widths[number] + widths[number + 1]) / 2
        right[number] = min(right[number], right[number + 1] - apart)
    return [(one + other) / 2 for one, other in zip(left, right, strict=True)]


def _width(name: str) -> float:
    return 0.5 if name.startswith("\0bend:") else 1.0
