"""Whose doing an open or a click is."""

from datetime import UTC, datetime, timedelta

import pytest

from caravan.campaigns.bots import agent_verdict, time_verdict

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/138.0.0.0 Safari/537.36 Edg/138.0"
CUBOT = "Mozilla/5.0 (Linux; Android 11; CUBOT X30) AppleWebKit/537.36 Chrome/138.0 Mobile Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "verdict"),
    [
        (SAFARI, None),
        (EDGE, None),
        ("", None),
        ("curl/8.5.0", None),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", None),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "agent"),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b", "agent"),
        ("Mozilla/5.0 Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Gmail-content-sampling", "agent"),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "agent"),
        ("hubspot crawler", "agent"),
    ],
)  # fmt: skip
def test_agents_that_say_what_they_are(agent: str, verdict: str | None) -> None:
    assert agent_verdict("clicked", "GET", agent) == verdict
    assert agent_verdict("opened", "GET", agent) == verdict
    assert agent_verdict("clicked", "HEAD", agent) == "head"


def test_telephone_whose_maker_ends_in_bot_is_a_persons() -> None:
    assert agent_verdict("clicked", "GET", CUBOT) is None


def test_prefetcher_of_pictures_follows_no_links() -> None:
    assert agent_verdict("opened", "GET", "Mozilla/5.0") == "prefetch"
    assert agent_verdict("clicked", "GET", "Mozilla/5.0") is None


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(-5, "too-soon"), (0, "too-soon"), (2.999, "too-soon"), (3, None)]
)
def test_nobody_has_read_a_mail_within_three_seconds(seconds: float, verdict: str | None) -> None:
    assert time_verdict("clicked", NOW + timedelta(seconds=seconds), NOW) == verdict
    assert time_verdict("opened", NOW + timedelta(seconds=seconds), NOW) is None


def test_click_on_what_was_not_handed_over_is_nobodys() -> None:
    assert time_verdict("clicked", NOW, None) == "too-soon"
