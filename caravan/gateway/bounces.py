"""``POST /bounces``: whoever takes the mail of the return path brings a report, as it came (message/rfc822).

For a pipe of a mail server or a provider's hook, with the key of BOUNCE_KEY as bearer. Brought again, a
report changes nothing; about mail that is none of ours it is taken all the same, for bringing it again would not
help.
"""

import asyncio
import hmac
from collections.abc import Callable
from datetime import datetime

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from caravan.campaigns import bounces
from caravan.campaigns.plans import PlanCache
from caravan.delivery.bounce_reports import LARGEST, NotAReport, Report, read_report
from caravan.delivery.return_path import ReturnPath
from caravan.gateway.bodies import whole_body
from caravan.gateway.errors import refusal
from caravan.gateway.subscriptions import Subscriptions

BOUNCES_PATH = "/bounces"
#: seconds for a report to come whole
LONGEST = 30.0

log = structlog.get_logger("caravan.gateway")


class BounceEndpoint:
    """Takes reports for all subscriptions: each, paired or not, looks whether it is about a message of its own."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        plans: PlanCache,
        key: str,
        return_path: ReturnPath | None,
        now: Callable[[], datetime],
    ) -> None:
        self._subscriptions = subscriptions
        self._key = key.encode()
        self._return_path = return_path
        self._plans = plans
        self._now = now

    async def take(self, request: Request) -> Response:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if (
            not self._key
            or scheme.lower() != "bearer"
            or not hmac.compare_digest(self._key, shown.strip().encode())
        ):
            return refusal(request, 401, "UNAUTHORIZED", "the bearer key is missing or wrong")
        content = await whole_body(request, "the report", largest=LARGEST, longest=LONGEST)
        try:
            reports = await asyncio.to_thread(read_report, content)
        except NotAReport as error:
            return refusal(request, 400, "VALIDATION_ERROR", f"it {error}")
        results = [await self._take(report) for report in reports]
        return JSONResponse({"status": "taken", "reports": results})

    async def _take(self, report: Report) -> dict[str, str | None]:
        result = "elsewhere"
        for munchkin in await self._subscriptions.all():
            pool = await self._subscriptions.engage_alone(munchkin)
            if pool is None:  # it has just gone
                continue
            taken = await bounces.take(
                pool,
                self._plans,
                report,
                self._now(),
                munchkin=munchkin,
                return_path=self._return_path,
            )
            result = taken.result
            if result != "elsewhere":
                break
        log.info("mail report", kind=report.kind, status=report.status, result=result)
        return {"kind": report.kind, "status": report.status, "result": result}
