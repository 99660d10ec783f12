"""Variants: what both of their nodes have in common, shares and how a path is drawn by them.

No draw needs chance. ``hash`` is a pure function of who it is about and where, so it says the same at
every re-entry, in every version and in a simulation; ``quota`` needs the counts so far, and nothing else.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar

from pydantic import Field

from caravan.journeys.nodes.paths import Labelled, names, refuse_same_names
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope
from caravan.journeys.written import shown

FEWEST_PATHS = 2

Method = Literal["hash", "quota"]
METHODS: tuple[Method, ...] = ("hash", "quota")


class Variant(Labelled):
    """A path that takes its share of all who come, in whole percents."""

    share: int = Field(ge=1, le=99)


AnyVariant = TypeVar("AnyVariant", bound=Variant)


def hundredth(journey: str, node: str, who: str) -> int:
    """Which hundredth of all who may come somebody is in, from 0: the same whenever it is asked.

    The node is in the key: two variants of one journey draw independently of each other.
    """
    # NUL stands in no name, so no two keys are written alike
    digest = hashlib.sha256("\0".join((journey, node, who)).encode()).digest()
    return int.from_bytes(digest[:8]) * 100 >> 64


def by_hash(paths: Sequence[Variant], journey: str, node: str, who: str) -> str:
    """The name of the path whose share of the hundredths holds theirs."""
    place = hundredth(journey, node, who)
    for name, path in zip(names(paths), paths, strict=True):
        if place < path.share:
            return name
        place -= path.share
    raise AssertionError("the shares sum to 100")


def by_quota(paths: Sequence[Variant], counts: Mapping[str, int]) -> str:
    """The name of the path furthest below its share when one more has come, the first on a tie."""
    named = list(zip(names(paths), paths, strict=True))
    coming = sum(counts.get(name, 0) for name, _ in named) + 1
    # in hundredths of an account, so that no rounding decides
    short = {name: path.share * coming - 100 * counts.get(name, 0) for name, path in named}
    return max(short, key=lambda name: short[name])


def read_method(fields: Fields) -> Method:
    """The key ``method``."""
    method = fields.text("method") or "hash"
    for known in METHODS:
        if method == known:
            return known
    fields.problem("bad-value", "method", f"a method is {' or '.join(METHODS)}, not {method}")
    return "hash"


def read_variant(fields: Fields) -> tuple[str | None, int | None]:
    """The label and the share of a path."""
    label = fields.text("label", longest=NAME_LIMIT)
    share = fields.required("share")
    if share is None:
        return label, None
    if isinstance(share, bool) or not isinstance(share, int) or not 1 <= share <= 99:
        fields.problem(
            "share-out-of-range",
            "share",
            f"a share is a whole number of percents from 1 to 99, not {shown(share)}",
        )
        return label, None
    return label, int(share)


def read_variants(
    fields: Fields,
    scope: JourneyScope,
    read: Callable[[Fields, JourneyScope], AnyVariant | None],
) -> tuple[AnyVariant, ...] | None:
    """The key ``paths``; None where any of them is wrong."""
    found = [
        read(fields.within(raw, "paths", number), scope)
        for number, raw in enumerate(fields.items("paths"))
    ]
    most = fields.limits.variant_paths
    if not FEWEST_PATHS <= len(found) <= most:
        fields.problem(
            "variant-count",
            "paths" if "paths" in fields.raw else None,
            f"variants have {FEWEST_PATHS} to {most} paths, not {len(found)} "
            + fields.limits.over("variant_paths"),
        )
    paths = tuple(path for path in found if path is not None)
    if len(paths) < len(found):
        return None
    total = sum(path.share for path in paths)
    if paths and total != 100:
        fields.problem("shares-not-100", "paths", f"the shares sum to {total}, not to 100")
    refuse_same_names(fields, names(paths))
    return paths
