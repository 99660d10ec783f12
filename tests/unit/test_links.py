"""Links of messages: what we signed is read back, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.delivery.links import BadLinkKeys, Link, LinkKeys, LinkKind, MailLinks, links_of

KEY, OLD, OTHERS = "k" * 32, "o" * 40, "x" * 32
KEYS = LinkKeys([KEY, OLD])

links = st.builds(
    Link,
    st.sampled_from([LinkKind.OPENED, LinkKind.UNSUBSCRIBE, LinkKind.VIEW]),
    st.from_regex(r"[a-zA-Z0-9-]{1,40}", fullmatch=True),
    st.integers(1, 2**63 - 1),
) | st.builds(
    Link,
    st.just(LinkKind.CLICKED),
    st.just("123-ABC-456"),
    st.integers(1, 2**40),
    st.from_regex(r"https?://[a-zåäö]{1,30}/[a-z?=&#%0-9]{0,200}", fullmatch=True),
)


@given(links)
def test_a_token_says_what_was_signed(link: Link) -> None:
    token = KEYS.sign(link)
    assert KEYS.read(token, link.kind) == link
    assert all(KEYS.read(token, kind) is None for kind in LinkKind if kind is not link.kind)


@given(links, st.data())
def test_a_token_that_was_changed_anywhere_says_nothing(link: Link, data: st.DataObject) -> None:
    token = KEYS.sign(link)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from([*"-_aZ09=.~ å"]))
    changed = token[:at] + other + token[at + 1 :]
    if changed != token:
        assert KEYS.read(changed, link.kind) is None


@given(links, st.data())
def test_a_token_that_is_cut_or_longer_says_nothing(link: Link, data: st.DataObject) -> None:
    token = KEYS.sign(link)
    assert KEYS.read(token[: data.draw(st.integers(0, len(token) - 1))], link.kind) is None
    assert KEYS.read(token + data.draw(st.sampled_from(["=", "A", "==", "\n"])), link.kind) is None


@given(st.text(max_size=200), st.sampled_from(LinkKind))
def test_no_text_is_a_token_by_chance(text: str, kind: LinkKind) -> None:
    assert KEYS.read(text, kind) is None


@given(links)
def test_a_token_of_others_keys_says_nothing(link: Link) -> None:
    assert KEYS.read(LinkKeys([OTHERS]).sign(link), link.kind) is None


@given(links)
def test_an_old_key_still_verifies_and_signs_no_more(link: Link) -> None:
    before = LinkKeys([OLD])
    assert KEYS.read(before.sign(link), link.kind) == link
    assert before.read(KEYS.sign(link), link.kind) is None


def test_keys_are_read_from_one_setting_the_newest_first() -> None:
    link = Link(LinkKind.VIEW, "m", 1)
    assert LinkKeys.parse(f"{KEY}, {OLD}\n").sign(link) == KEYS.sign(link)
    for text in ("", "short", f"{KEY} short"):
        with pytest.raises(BadLinkKeys):
            LinkKeys.parse(text)


def test_a_link_names_nobody_and_stays_short() -> None:
    made = links_of("https://us.example/", KEYS)("123-ABC-456")
    assert made == MailLinks("https://us.example", "123-ABC-456", KEYS)
    for url, kind in (
        (made.opened(1_000_000), "o"),
        (made.unsubscribe(7), "u"),
        (made.view(7), "v"),
    ):
        start = f"https://us.example/{kind}/"
        assert url.startswith(start)
        assert len(url) - len(start) <= 56
    clicked = KEYS.read(
        made.clicked(7, "https://a.example/?q=ö").rpartition("/")[2], LinkKind.CLICKED
    )
    assert clicked == Link(LinkKind.CLICKED, "123-ABC-456", 7, "https://a.example/?q=ö")


@pytest.mark.parametrize("number", [0, -1, 2**63])
def test_a_number_that_no_message_has_is_not_signed(number: int) -> None:
    with pytest.raises(ValueError, match="number"):
        KEYS.sign(Link(LinkKind.VIEW, "m", number))
