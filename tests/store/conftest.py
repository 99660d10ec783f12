"""Fixtures of store tests that call services."""

from collections.abc import AsyncIterator

import pytest

from caravan.gateway.app import build_app
from caravan.services.client import ServiceClient
from caravan.services.hosts import AllowedHosts
from caravan.services.http import ServiceHttp
from tests.calling import SECRETS, Caller
from tests.contract import example
from tests.service import Listening, OutsideService
from tests.world import World


@pytest.fixture
async def gateway(world: World) -> AsyncIterator[Listening]:
    new = Listening(build_app(world.stores))
    await new.start()
    yield new
    await new.stop()


@pytest.fixture
async def caller(
    world: World, gateway: Listening, request: pytest.FixtureRequest
) -> AsyncIterator[Caller]:
    service = OutsideService(example(getattr(request, "param", "account-enrichment")))
    await service.start()
    http = ServiceHttp(AllowedHosts.parse(f"127.0.0.1:{service.port}"), verify=False, longest=2)
    new = Caller(world, service, gateway, ServiceClient(http, SECRETS))
    yield new
    assert service.faults == []
    await new.client.close()
    await service.stop()
