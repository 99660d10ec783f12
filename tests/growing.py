"""One side of the down-flow in a process of its own, which tells how much memory it took at most.

Run as ``python -m tests.growing import|follow PLATFORM_DSN ENGAGE_DSN MUNCHKIN FOLDER``.
"""

import asyncio
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

from caravan.campaigns import audience_flow
from caravan.campaigns.plans import PlanCache
from caravan.journeys.fields import FieldCatalog
from caravan.platform.imports import Importer
from caravan.stores import Stores


async def grow(verb: str, platform_dsn: str, engage_dsn: str, munchkin: str, folder: str) -> int:
    """Do it; returns how many rows it was about."""
    stores = Stores(platform_dsn, engage_dsn)
    try:
        platform = await stores.platform(munchkin)
        if verb == "import":
            importer = Importer(platform, FieldCatalog(), datetime.now(UTC), lambda *_: None)
            reports = await importer.directory(Path(folder))
            return sum(report.new for report in reports)
        engage, plans, rows = await stores.engage(munchkin), PlanCache(), 0
        while moved := await audience_flow.follow_page(engage, platform, plans, datetime.now(UTC)):
            rows += moved
        return rows
    finally:
        await stores.close()


if __name__ == "__main__":
    done = asyncio.run(grow(*sys.argv[1:]))
    print(done, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
