"""The sandbox passes every module through, so workflow code must share no state that anyone changes.

Two looks at every module that workflows import of ours: nothing in them changes a module's global,
and no global is different after journeys have been replayed.
"""

import ast
import copy
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

import workflows
from activities.roles import sandbox

CHANGING = {
    "append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "clear", "remove", "discard",
    "appendleft", "sort", "reverse",
}  # fmt: skip
CACHES = {"cache", "lru_cache"}
#: whose functions no workflow calls: what they keep is the same for all who read the same text
READ_BEFORE_PUBLISHING = {"caravan.journeys.mail_html"}


def modules_of_workflows() -> list[ModuleType]:
    """What workflows run: their own package, and what of the language it has imported."""
    for info in pkgutil.iter_modules(workflows.__path__, "workflows."):
        importlib.import_module(info.name)
    names = [
        n for n in sys.modules if n.split(".")[0] == "workflows" or n.startswith("caravan.journeys")
    ]
    return [sys.modules[name] for name in sorted(set(names) - READ_BEFORE_PUBLISHING)]


def changes(source: str) -> list[str]:
    """What in a module's functions changes a global of the module."""
    tree = ast.parse(source)
    names = {
        target.id for node in tree.body for target in _targets(node) if isinstance(target, ast.Name)
    }
    found = []
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        own = {arg.arg for arg in [*function.args.args, *function.args.kwonlyargs]}
        own |= {
            n.id
            for n in ast.walk(function)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Global):
                found.append(f"{node.lineno}: global {', '.join(node.names)}")
            for name in _changed(node):
                if name in names - own:
                    found.append(f"{getattr(node, 'lineno', 0)}: changes {name}")
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Name | ast.Attribute)
            and getattr(node, "id", getattr(node, "attr", "")) in CACHES
        ):
            found.append(f"{node.lineno}: a cache")
    return found


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []


def _changed(node: ast.AST) -> Iterator[str]:
    """Names whose object a node changes: ``x[…] = …``, ``del x[…]``, ``x.append(…)``, ``x.a = …``."""
    if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(
        node.ctx, ast.Store | ast.Del
    ):
        if isinstance(node.value, ast.Name):
            yield node.value.id
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CHANGING
        and isinstance(node.func.value, ast.Name)
    ):
        yield node.func.value.id


@pytest.mark.parametrize("module", modules_of_workflows(), ids=lambda module: module.__name__)
def test_no_function_changes_a_global(module: ModuleType) -> None:
    assert changes(inspect.getsource(module)) == []


@pytest.mark.parametrize(
    "offence",
    [
        "SEEN = []\ndef f(x):\n    SEEN.append(x)\n",
        "SEEN: dict = {}\ndef f(x):\n    SEEN[x] = 1\n",
        "N = 0\ndef f():\n    global N\n    N += 1\n",
        "import functools\n@functools.lru_cache\ndef f(x):\n    return x\n",
        "SEEN = set()\nclass A:\n    def f(self, x):\n        SEEN.discard(x)\n",
    ],
)
def test_the_look_finds_offences(offence: str) -> None:
    assert changes(offence)


def globals_now() -> dict[str, Any]:
    """A copy of every plain mutable global of these modules."""
    return {
        f"{module.__name__}.{name}": copy.copy(value)
        for module in modules_of_workflows()
        for name, value in vars(module).items()
        if isinstance(value, dict | list | set | bytearray) and not name.startswith("__")
    }


async def test_no_global_is_different_after_journeys_ran() -> None:
    before = globals_now()
    folder = Path(__file__).parents[1] / "replay" / "histories"
    for file in sorted(folder.glob("*.json")):
        if file.name.endswith(".arguments.json"):
            continue
        await Replayer(
            workflows=[*workflows.JOURNEY_WORKFLOWS, *workflows.STREAM_WORKFLOWS],
            data_converter=pydantic_data_converter,
            workflow_runner=sandbox(),
        ).replay_workflow(WorkflowHistory.from_json(file.stem, file.read_text(encoding="utf-8")))
    assert globals_now() == before
