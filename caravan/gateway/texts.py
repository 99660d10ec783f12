"""``POST /sms/inbound`` and ``POST /sms/status``: what a provider of text messages tells us.

Every request is signed with the account's token over the address it was sent to and all it says; one that is not
changes nothing and nothing is looked up for it. An answer to a number is for all subscriptions of this operator,
for they share the number it was sent to.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from caravan.campaigns import sms_consent, text_status
from caravan.campaigns.plans import PlanCache
from caravan.delivery.sms import STATUS_PATH
from caravan.gateway.bodies import whole_body
from caravan.gateway.errors import Refusal, guarded
from caravan.gateway.subscriptions import Subscriptions
from caravan.journeys.suppressing import phone_key

INBOUND_PATH = "/sms/inbound"

#: bytes of a callback
LARGEST = 50_000
#: seconds for them to come
LONGEST = 20.0
#: what we have to say to an answer: nothing, for the provider confirms a STOP itself
_NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

log = structlog.get_logger("caravan.gateway")

Form = list[tuple[str, str]]


@dataclass(frozen=True)
class SmsCallbacks:
    """Who may tell of text messages.

    Args:
        token: the account's (SMS_TOKEN), which signs.
        public_url: the gateway's own address for the outside, which is signed: a proxy may have changed the one
            a request says it came to.
    """

    token: str
    public_url: str

    def signature(self, path: str, query: str, form: Sequence[tuple[str, str]]) -> str:
        """What X-Twilio-Signature must say: HMAC-SHA1 over the address and the sorted fields."""
        said = f"{self.public_url}{path}" + (f"?{query}" if query else "")
        said += "".join(key + value for key, value in sorted(form))
        digest = hmac.new(self.token.encode(), said.encode(), hashlib.sha1).digest()
        return base64.b64encode(digest).decode()


class TextEndpoints:
    """Takes callbacks for all subscriptions."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        plans: PlanCache,
        callbacks: SmsCallbacks,
        now: Callable[[], datetime],
    ) -> None:
        self._subscriptions = subscriptions
        self._plans = plans
        self._callbacks = callbacks
        self._now = now

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            Route(INBOUND_PATH, guarded(self.inbound), methods=["POST"]),
            Route(STATUS_PATH, guarded(self.status), methods=["POST"]),
        ]

    async def inbound(self, request: Request) -> Response:
        """Somebody has answered: a STOP or a START counts, whatever else they say is not ours to hear."""
        form = await self._signed(request)
        if form is None:
            return Response(status_code=403)
        said = dict(form)
        phone, sid = phone_key(said.get("From", "")), said.get("MessageSid", "")
        word = sms_consent.keyword(said.get("Body", ""), said.get("OptOutType", ""))
        if phone is not None and sid and word is not None:
            failed: Exception | None = None
            for munchkin in await self._subscriptions.all():
                try:
                    pool = await self._subscriptions.engage_alone(munchkin)
                    if pool is None:  # it has just gone
                        continue
                    new = await sms_consent.hear(
                        pool, self._plans, phone=phone, sid=sid, word=word, at=self._now()
                    )
                except Exception as error:  # it is heard by the others all the same
                    failed = error
                else:
                    log.info("an answer to a text message", keyword=word, new=new)
            if failed is not None:
                raise failed
        return Response(_NOTHING, media_type="text/xml")

    async def status(self, request: Request) -> Response:
        """What became of a message."""
        form = await self._signed(request)
        if form is None:
            return Response(status_code=403)
        said = dict(form)
        # as we have written it; what is no message of ours any more is of no interest to the provider
        munchkin, _, number = request.query_params.get("message", "").rpartition("/")
        pool = await self._subscriptions.engage_alone(munchkin) if munchkin else None
        if pool is not None and number.isdecimal():
            await text_status.take(
                pool,
                self._plans,
                number=int(number),
                sid=said.get("MessageSid", ""),
                status=said.get("MessageStatus", ""),
                code=said.get("ErrorCode"),
                at=self._now(),
            )
        return Response(status_code=204)

    async def _signed(self, request: Request) -> Form | None:
        """The fields of a request that the provider has signed; None where it has not."""
        try:
            content = await whole_body(request, "the form", largest=LARGEST, longest=LONGEST)
            form = parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=200)
        except (Refusal, ValueError):
            return None
        due = self._callbacks.signature(request.url.path, request.url.query, form)
        given = request.headers.get("x-twilio-signature", "")
        return form if hmac.compare_digest(due.encode(), given.encode()) else None
