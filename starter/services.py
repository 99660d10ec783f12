"""``caravan services DIR``: whether a workspace's services answer, and fit the calls of its journeys."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from caravan.journeys.nodes.call import Call
from caravan.journeys.service import Service
from caravan.journeys.workspace import Workspace
from caravan.services.client import ServiceClient
from caravan.services.definition import misfits
from caravan.services.errors import ServiceError
from caravan.services.hosts import AllowedHosts, BadHosts
from caravan.services.http import ServiceHttp
from caravan.settings import SettingsError, read_environment, service_secrets
from starter.errors import Failed
from starter.output import Format, FormatOption, show
from starter.session import run
from starter.validate import DirectoryArgument, read_workspace


def services(directory: DirectoryArgument, form: FormatOption = Format.table) -> None:
    """Ask each service of a workspace for its definition and status, and compare its calls with them.

    As a worker does before a call: with `SERVICE_HOSTS`, and the secrets that documents name, of this
    environment. Nothing is submitted. Exits 1 if a call would not be taken.
    """
    workspace = read_workspace(directory, datetime.now(UTC))
    try:
        allowed = AllowedHosts.parse(read_environment().service_hosts)
    except BadHosts as error:
        raise SettingsError(f"The setting SERVICE_HOSTS is wrong: {error}") from None
    rows = run(_ask_all(workspace, allowed, service_secrets()))
    show(rows, form, empty="no services in this workspace")
    if any(row["problems"] for row in rows):
        raise Failed("not every call would be taken; the rows say why")


async def _ask_all(
    workspace: Workspace, allowed: AllowedHosts, secrets: Mapping[str, str]
) -> list[dict[str, Any]]:
    client = ServiceClient(ServiceHttp(allowed), secrets)
    try:
        return [
            await _ask(client, workspace, service)
            for _, service in sorted(workspace.services.items())
        ]
    finally:
        await client.close()


async def _ask(client: ServiceClient, workspace: Workspace, service: Service) -> dict[str, Any]:
    row = {"service": service.service, "url": service.url, "serves": None, "timeout": None}
    problems: list[str] = []
    try:
        definition = await client.definition(service)
        row |= {"serves": definition.entity, "timeout": f"{definition.timeout} minutes"}
        for slug, name, node in _calls(workspace, service):
            found = misfits(definition, service, node, workspace.catalog)
            problems += [f"{slug}, {name}: {problem}" for problem in found]
        if not await client.healthy(service):
            problems.append("it does not say that it is healthy")
    except ServiceError as error:
        problems.append(str(error))
    return row | {"problems": problems or None}


def _calls(workspace: Workspace, service: Service) -> list[tuple[str, str, Call]]:
    return [
        (slug, name, node)
        for slug, journey in sorted(workspace.journeys.items())
        for name, node in journey.nodes.items()
        if isinstance(node, Call) and node.service == service.service
    ]
