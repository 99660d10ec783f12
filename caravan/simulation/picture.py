"""The picture of a walked journey: an SVG with a box for each node and counts on the edges."""

import math
from dataclasses import dataclass
from html import escape

from caravan.simulation.graph import START, Edge, Graph, Vertex
from caravan.simulation.layout import Layout, lay_out, settle

COLUMN, ROW = 236, 124
WIDTH, HEIGHT, ROUND = 196, 64, 44  # of a box; the height of an end
MARGIN = 36
#: how far from a box an edge turns that goes up again
TURN = 12
#: letters that fit into a box, and beside an edge
TITLE, ABOUT, LABEL = 23, 29, 26
#: lines that fit between two boxes, and the height of one
LINES, LINE = 4, 13

Point = tuple[float, float]


@dataclass
class Words:
    """What stands on an edge, and where."""

    edge: Edge
    x: float
    y: float

    @property
    def paths(self) -> list[tuple[str, int]]:
        """The paths along the edge with their counts; those that somebody took first."""
        paths = [(label.replace("_", " "), n) for label, n in self.edge.counts.items()]
        if len(paths) > 1:
            paths = [(label or "next", n) for label, n in paths if label or n]
        return sorted(paths, key=lambda path: -path[1])

    @property
    def lines(self) -> list[tuple[int, str]]:
        """A line for each path; where they are many, the last counts the rest."""
        paths = self.paths
        shown = paths if len(paths) <= LINES else paths[: LINES - 1]
        lines = [(n, _short(label, LABEL)) for label, n in shown]
        rest = paths[len(shown) :]
        if rest:
            lines.append((sum(n for _, n in rest), f"by {len(rest)} others"))
        return lines

    @property
    def width(self) -> float:
        return max(len(str(n)) * 7.5 + len(label) * 6.2 for n, label in self.lines) + 14

    @property
    def height(self) -> float:
        return LINE * len(self.lines) + 4


def draw(graph: Graph) -> str:
    """The SVG, to be put into a page that has its styles."""
    pairs = list(graph.edges)
    layout = lay_out(list(graph.vertices), pairs, START)
    right = max(_x(column) for column, _ in _all_places(layout)) + WIDTH / 2
    loops = sum(tail == head or (tail, head) in layout.backward for tail, head in pairs)
    width = right + MARGIN + 30 * loops
    height = max(_y(row) for _, row in layout.places.values()) + HEIGHT / 2 + MARGIN
    most = max((edge.count for edge in graph.edges.values()), default=0)
    parts = [
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
        ' role="img" aria-label="The journey with its counts">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
        ' markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>',
    ]
    lane = 0
    labels: list[Words] = []
    for pair, edge in graph.edges.items():
        straight = pair in layout.backward or pair[0] == pair[1]
        if straight:
            lane += 1
            points = _around(layout, pair, right + 30 * lane)
        else:
            points = _down(graph, layout, pair)
        parts.append(_line(edge, points, most, straight=straight))
        labels.append(Words(edge, *_beside(points, straight)))
    parts += [_words(label) for label in _apart(labels)]
    parts += [_box(vertex, layout.places[vertex.name]) for vertex in graph.vertices.values()]
    parts.append("</svg>")
    return "\n".join(parts)


def _x(column: float) -> float:
    return MARGIN + column * COLUMN - (COLUMN - WIDTH) / 2


def _y(row: float) -> float:
    return MARGIN + HEIGHT / 2 + row * ROW


def _all_places(layout: Layout) -> list[tuple[float, int]]:
    return [*layout.places.values(), *(place for bends in layout.bends.values() for place in bends)]


def _down(graph: Graph, layout: Layout, pair: tuple[str, str]) -> list[Point]:
    """From the foot of the one, through its bends, to the head of the other."""
    (tail_column, tail_row), (head_column, head_row) = (layout.places[name] for name in pair)
    return [
        (_x(tail_column), _y(tail_row) + _half(graph.vertices[pair[0]])),
        *((_x(column), _y(row)) for column, row in layout.bends[pair]),
        (_x(head_column), _y(head_row) - _half(graph.vertices[pair[1]]) - 2),
    ]


def _around(layout: Layout, pair: tuple[str, str], x: float) -> list[Point]:
    """Up again by a lane at the right side, in the gaps between rows."""
    (tail_column, tail_row), (head_column, head_row) = (layout.places[name] for name in pair)
    tail_x, head_x = _x(tail_column) + WIDTH / 4, _x(head_column) + WIDTH / 4
    foot, top = _y(tail_row) + HEIGHT / 2, _y(head_row) - HEIGHT / 2
    return [
        (tail_x, foot),
        (tail_x, foot + TURN),
        (x, foot + TURN),
        (x, top - TURN),
        (head_x, top - TURN),
        (head_x, top - 2),
    ]


def _line(edge: Edge, points: list[Point], most: int, *, straight: bool) -> str:
    (x, y), *others = points
    path = f"M{x:.1f} {y:.1f}"
    for next_x, next_y in others:
        if straight:
            path += f"L{next_x:.1f} {next_y:.1f}"
        else:
            middle = (y + next_y) / 2
            path += f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {next_y:.1f}"
        x, y = next_x, next_y
    thick = 1.2 + 4.8 * math.sqrt(edge.count / most) if most and edge.count else 1.2
    unused = "" if edge.count else " unused"
    return f'<path class="edge{unused}" style="stroke-width:{thick:.1f}" d="{path}" marker-end="url(#tip)"/>'


def _beside(points: list[Point], straight: bool) -> Point:
    """Where the words of an edge stand: on it, in the gap below the box it comes from."""
    (x, y), (next_x, next_y) = points[0], points[1]
    if straight:
        return (points[1][0] + points[2][0]) / 2, points[1][1]
    wanted = min(y + (ROW - HEIGHT) * 0.55, (y + next_y) / 2 + 8)
    for step in range(101):
        t = step / 100
        near, far = (1 - t) ** 2 * (1 + 2 * t), t * t * (3 - 2 * t)
        at = (1 - t) ** 3 * y + 3 * t * (1 - t) * (y + next_y) / 2 + t**3 * next_y
        if at >= wanted:
            return near * x + far * next_x, at
    return next_x, next_y


def _apart(labels: list[Words]) -> list[Words]:
    """Words at the same height pushed apart, so that none hides another."""
    heights: dict[int, list[Words]] = {}
    for one in labels:
        heights.setdefault(round(one.y / 30), []).append(one)
    for level in heights.values():
        level.sort(key=lambda one: one.x)
        settled = settle([one.width + 6 for one in level], [one.x for one in level])
        for one, x in zip(level, settled, strict=True):
            one.x = x
    return labels


def _words(words: Words) -> str:
    """How many took each path."""
    top = words.y - 4 - words.height / 2
    tspans = "".join(
        f'<tspan x="{words.x:.1f}" y="{top + LINE * number - 1:.1f}">'
        f'<tspan class="count">{n}</tspan>{escape(" " + label if label else "")}</tspan>'
        for number, (n, label) in enumerate(words.lines, start=1)
    )
    told = "; ".join(f"{label or 'next'}: {n}" for label, n in words.paths)
    unused = "" if words.edge.count else ' class="unused"'
    return (
        f"<g{unused}><title>{escape(told)}</title>"
        f'<rect class="paper" x="{words.x - words.width / 2:.1f}" y="{top:.1f}"'
        f' width="{words.width:.1f}" height="{words.height:.0f}" rx="4"/>'
        f'<text class="words">{tspans}</text></g>'
    )


def _box(vertex: Vertex, place: tuple[float, int]) -> str:
    x, y = _x(place[0]), _y(place[1])
    half = _half(vertex)
    rounded = half if vertex.kind in ("audience", "end", "wait", "listen") else 8
    unused = "" if vertex.came else " unused"
    name = escape(vertex.name.lstrip("\0"), quote=True)
    counts = f"{vertex.came}" + (f" · {vertex.inside} here" if vertex.inside else "")
    lines = [("title", _short(vertex.title, TITLE))]
    if vertex.kind not in ("audience", "end"):
        about = f"{vertex.kind}: {vertex.about}" if vertex.about else vertex.kind
        lines.append(("about", _short(about, ABOUT)))
    lines.append(("count", counts))
    step = 17
    top = y - step * (len(lines) - 1) / 2 + 4.5
    words = "".join(
        f'<text class="{kind}" x="{x:.1f}" y="{top + step * number:.1f}">{escape(line)}</text>'
        for number, (kind, line) in enumerate(lines)
    )
    return (
        f'<g class="node {vertex.kind}{unused}" data-node="{name}" tabindex="0">'
        f"<title>{escape(vertex.title)} – {escape(vertex.about or vertex.kind)}</title>"
        f'<rect x="{x - WIDTH / 2:.1f}" y="{y - half:.1f}" width="{WIDTH}" height="{2 * half}" rx="{rounded}"/>'
        f"{words}</g>"
    )


def _half(vertex: Vertex) -> float:
    return (ROUND if vertex.kind in ("audience", "end") else HEIGHT) / 2


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
