"""Drawing by shares: the same for the same account, never off its quota by more than one."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from caravan.journeys.nodes.variants import Variant, by_hash, by_quota, hundredth


@st.composite
def shares(draw: st.DrawFn) -> list[Variant]:
    cuts = draw(st.lists(st.integers(1, 99), min_size=1, max_size=19, unique=True).map(sorted))
    return [Variant(share=high - low) for low, high in zip([0, *cuts], [*cuts, 100], strict=True)]


@given(shares(), st.integers(1, 400))
def test_quota_strays_from_its_shares_by_less_than_one_each(
    paths: list[Variant], comers: int
) -> None:
    counts: Counter[str] = Counter()
    for _ in range(comers):
        counts[by_quota(paths, counts)] += 1
    assert sum(counts.values()) == comers
    for name, path in enumerate(paths, start=1):
        # no path gets more than its share, rounded up
        assert counts[str(name)] <= path.share * comers // 100 + 1


def test_quota_takes_the_first_on_a_tie() -> None:
    halves = [Variant(label="A", share=50), Variant(label="B", share=50)]
    assert by_quota(halves, {}) == "A"
    assert by_quota(halves, {"A": 1}) == "B"
    assert by_quota(halves, {"A": 1, "B": 1, "gone since": 40}) == "A"


@given(shares(), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_hash_is_of_who_and_where_alone(
    paths: list[Variant], journey: str, node: str, who: str
) -> None:
    try:
        "".join((journey, node, who)).encode()
    except UnicodeEncodeError:  # half characters are in no store
        return
    assert 0 <= hundredth(journey, node, who) < 100
    assert by_hash(paths, journey, node, who) == by_hash(tuple(paths), journey, node, who)


def test_hash_draws_the_shares_and_each_node_for_itself() -> None:
    paths = [Variant(share=10), Variant(share=30), Variant(share=60)]
    drawn = [by_hash(paths, "j", "n", f"account {n}") for n in range(10_000)]
    other = [by_hash(paths, "j", "m", f"account {n}") for n in range(10_000)]
    for name, share in (("1", 0.10), ("2", 0.30), ("3", 0.60)):
        assert abs(drawn.count(name) / 10_000 - share) < 0.02
    both = sum(a == b == "3" for a, b in zip(drawn, other, strict=True)) / 10_000
    assert abs(both - 0.36) < 0.02


def test_hash_is_pinned() -> None:
    """Published journeys rely on it: who was in path A yesterday is there tomorrow."""
    assert [hundredth("grid", "offer", who) for who in ("a", "b", "Größe")] == PINNED


PINNED = [88, 4, 19]
