"""A world whose mail leads to a real gateway on loopback, and a recipient who follows its links."""

import re
from dataclasses import dataclass
from email import message_from_bytes
from html import unescape
from urllib.parse import urlsplit

import httpx

from caravan.campaigns.mailing import Mailing
from caravan.delivery.links import LinkKeys, links_of
from caravan.gateway.app import build_app
from tests.service import Listening
from tests.world import World

KEY, OLD_KEY = "new-key-" + "n" * 32, "old-key-" + "o" * 32
#: what a person's browser says of itself
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

MAIL = """---
email: {name}
subject: Hello
{front}---
<html><head><style>p {{ color: red }}</style></head><body>
<p>Dear {{{{ person.first_name | default: 'you' }}}}</p>
<p><a href="https://us.example/offer?a=1&amp;b={{{{ account.name | url_encode }}}}">Offer</a>
<a href="https://us.example/other">Other</a>
<a href="https://us.example/plain" data-caravan-track="off">Plain</a></p>
<p>{{{{ postal_address }}}} <a href="{{{{ unsubscribe_link }}}}">Unsubscribe</a> <a href="{{{{ view_link }}}}">View</a></p>
</body></html>
"""


class LinkedWorld(World):
    """A world with a gateway. ``public_url`` is what mails lead to; the gateway listens on loopback."""

    gateway: Listening
    keys = LinkKeys([KEY, OLD_KEY])
    public_url = ""

    async def listen(self) -> None:
        self.gateway = Listening(build_app(self.stores, self.keys, self.url, lambda: self.now))
        await self.gateway.start()

    @property
    def url(self) -> str:
        return self.public_url or "https://go.example"

    @property
    def mailing(self) -> Mailing:
        return Mailing(self.transport, links_of(self.url, self.keys))

    def template(self, name: str, front: str = "") -> None:
        self.write(f"emails/{name}.html", MAIL.format(name=name, front=front))


@dataclass
class Letter:
    """A mail as its recipient has it."""

    html: str
    headers: dict[str, str]

    @classmethod
    def of(cls, content: bytes) -> "Letter":
        message = message_from_bytes(content)
        [html] = [part for part in message.walk() if part.get_content_type() == "text/html"]
        payload = html.get_payload(decode=True)
        assert isinstance(payload, bytes)
        return cls(payload.decode(), {name: str(value) for name, value in message.items()})

    def link(self, words: str) -> str:
        """Where a link with these words leads, as written."""
        [href] = re.findall(rf'<a href="([^"]*)"[^>]*>{words}</a>', self.html)
        return unescape(href)

    @property
    def pixel(self) -> str | None:
        found = re.findall(r'<img src="([^"]*/o/[^"]*)"', self.html)
        return unescape(found[0]) if found else None


async def ask(
    world: LinkedWorld,
    url: str,
    method: str = "GET",
    *,
    agent: str = BROWSER,
    **given: object,
) -> httpx.Response:
    """Ask the gateway for an address of a mail; redirects are not followed."""
    path = urlsplit(url)
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        return await client.request(
            method,
            f"{world.gateway.url}{path.path}" + (f"?{path.query}" if path.query else ""),
            headers={"User-Agent": agent},
            **given,  # type: ignore[arg-type]
        )
