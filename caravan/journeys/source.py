"""YAML 1.2 as written: plain data whose scalars still know their text, and the line of every path.

Anchors and aliases are refused, sizes and depths are limited, and a duplicate key is a problem, not
a silent overwrite.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from caravan.journeys.problems import Path
from caravan.journeys.written import WrittenFloat, WrittenInt, storable

MOST_BYTES = 256 * 1024
MOST_DEPTH = 50

_INTEGER = re.compile(r"[-+]?\d+")
_FLOAT = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?")
#: what the parser gives to what is written without a tag
_CORE_TAGS = tuple(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})


@dataclass
class Source:
    """One YAML document of a file."""

    data: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of a path, or of the nearest place above it that was written."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


@dataclass(frozen=True)
class Fault:
    """Why a file, or a place in it, cannot be read."""

    code: str
    line: int
    message: str


def read_documents(text: str) -> tuple[list[Source], list[Fault]]:
    """All documents of a YAML file, with every fault found on the way."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        return [], [Fault("document-too-large", 1, "a file may have at most 256 KB")]
    yaml = YAML(typ="safe", pure=True)
    sources: list[Source] = []
    faults: list[Fault] = []
    try:
        if _nested_too_deeply(text):
            return [], [Fault("document-too-deep", 1, f"at most {MOST_DEPTH} levels")]
        for node in yaml.compose_all(text):
            if node is None:
                continue
            reader = _Reader(faults)
            data = reader.value(node, (), 0)
            sources.append(Source(data, reader.lines))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        faults.append(
            Fault("bad-yaml", line, " ".join(filter(None, [error.context, error.problem])))
        )
    except RecursionError:
        faults.append(Fault("document-too-deep", 1, f"at most {MOST_DEPTH} levels"))
    except YAMLError as error:
        faults.append(Fault("bad-yaml", 1, (str(error).splitlines() or ["unreadable"])[0]))
    except Exception as error:
        # the parser fails in its own ways on some texts ("\\UFFFFFFFF"); a user's text never ends us
        faults.append(Fault("bad-yaml", 1, f"unreadable: {error}"))
    return sources, faults


def _nested_too_deeply(text: str) -> bool:
    """A cheap look for bracket towers before the recursive parser meets them."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth = max(0, depth - 1)
    return deepest > 4 * MOST_DEPTH


class _Reader:
    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        self.lines: dict[Path, int] = {}
        self._read: set[int] = set()
        self._told: set[Fault] = set()

    def value(self, node: Node, path: Path, depth: int) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if depth > MOST_DEPTH:
            self._fault("document-too-deep", line, f"at most {MOST_DEPTH} levels")
            return None
        if node.anchor is not None:
            self._fault("bad-yaml", line, "anchors and aliases are not allowed; write it out")
            if id(node) in self._read:
                return None  # an alias: read once, or a few lines of them take for ever
            self._read.add(id(node))
        if node.tag is not None and not str(node.tag).startswith(_CORE_TAGS):
            self._fault("bad-yaml", line, f"the tag {node.tag} is not allowed")
        if isinstance(node, MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [
                self.value(item, (*path, number), depth + 1)
                for number, item in enumerate(node.value)
            ]
        assert isinstance(node, ScalarNode)
        if not storable(str(node.value)):
            self._fault("bad-yaml", line, "a text may not have NUL or half characters")
            return None
        return _scalar(node)

    def _mapping(self, node: MappingNode, path: Path, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self._fault("bad-yaml", line, "a key must be a plain word")
                continue
            key = str(key_node.value)
            if not storable(key):
                self._fault("bad-yaml", line, "a key may not have NUL or half characters")
                continue
            if key in data:
                self._fault("duplicate-key", line, f"{key} is given twice")
                continue
            self.lines[(*path, key)] = line
            data[key] = self.value(value_node, (*path, key), depth + 1)
        return data

    def _fault(self, code: str, line: int, message: str) -> None:
        fault = Fault(code, line, message)
        if fault not in self._told:
            self._told.add(fault)
            self.faults.append(fault)


def _scalar(node: ScalarNode) -> Any:
    text = str(node.value)
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in _NULLS:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INTEGER.fullmatch(text) and len(text) < 100:
        number = WrittenInt(text)
        number.text = text
        return number
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        real = WrittenFloat(text)
        real.text = text
        return real
    return text
