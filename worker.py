"""The worker: settings → pools → clients → workers.

Run from the tree::

    python worker.py                              # every role in one process
    python worker.py --roles journeys --processes 2
    python worker.py --roles email                # what leaves the system, on hosts that may send

Roles: ``journeys`` (workflows of accounts and their stretches), ``email`` (sending, also what waited), ``calls``
(asking services), ``decisions`` (asking models), ``streams`` (admission, audience flow, platform sync, event dispatch, reconciler, buying groups).

SIGTERM or Ctrl-C stops gracefully, for GRACEFUL_SECONDS at most; a second one stops at once. Both are
safe at any point, and so is kill -9. Addresses are read once, at the start: a server that comes back
at its old address is found again by itself; after it has moved, start the worker anew.
"""

import argparse
import asyncio
import logging
import multiprocessing
import os
import signal
import sys
import threading
from datetime import timedelta
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess

import structlog
from temporalio.service import RPCError

from activities.alert_summaries import alert_summaries
from activities.askers import Askers
from activities.connection import connect, runtime_with
from activities.gauges import Gauges
from activities.journey_starts import StartOptions
from activities.log_context import leave_failures_to_us
from activities.readiness import NotReady, ready_subscriptions
from activities.roles import ROLES, build_workers
from activities.services import ReachedAt
from activities.stream_keeper import StreamKeeper
from activities.stream_starts import ensure_streams
from activities.upkeep_schedule import ensure_upkeep, spec_of
from caravan import mail_settings, service_settings, text_settings
from caravan.ai_settings import AISettings
from caravan.campaigns.mailing import Mailing
from caravan.database.errors import StoreError
from caravan.delivery.sms import SmsTransport
from caravan.garbage import collect_seldom
from caravan.logs import configure_logs
from caravan.services.callback import CALLBACK_PATH
from caravan.services.client import ServiceClient
from caravan.services.http import ServiceHttp
from caravan.settings import Settings, SettingsError, read_environment, service_secrets
from caravan.stores import Stores
from workflows.contracts import EMAIL, STREAMS

#: how long after the graceful time a worker may take to put its things away
MARGIN = timedelta(seconds=3)

log = structlog.get_logger("caravan.worker")


async def work(settings: Settings, roles: tuple[str, ...], metrics: str | None) -> None:
    """Run the workers of one process until it is told to stop.

    Raises:
        SettingsError, StoreError, NotReady: in one sentence, why it cannot start.
    """
    stop = _stop_signals()
    spec_of(settings.buying_group_upkeep)  # before anything is begun
    askers = Askers(AISettings.load())
    mailing = _mailing(settings, roles, askers)
    runtime = runtime_with(metrics)
    client = await connect(settings, runtime)
    stores = Stores(
        settings.platform_dsn,
        settings.engage_dsn,
        pool_size=settings.pool_size,
        statement_cache=settings.statement_cache,
    )
    graceful = timedelta(seconds=settings.graceful_seconds)
    exchange = _exchange(settings)
    workers = build_workers(
        client,
        stores,
        mailing,
        roles,
        starts=StartOptions(
            per_second=settings.starts_per_second,
            account_names=settings.account_names_in_temporal,
            each_step=settings.step_mode == "each",
            continue_after=settings.continue_as_new_after,
        ),
        exchange=exchange,
        reached=_reached(settings),
        askers=askers,
        retention=settings.retention,
        graceful=graceful,
    )
    try:
        subscriptions = await ready_subscriptions(client, settings)
        keeper = StreamKeeper(
            client, stores, Gauges(stores, runtime.metric_meter), settings.buying_group_upkeep
        )
        if STREAMS in roles:
            await ensure_streams(client, subscriptions)
            for munchkin in subscriptions:
                await ensure_upkeep(client, munchkin, settings.buying_group_upkeep)
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.run())
            keeping = group.create_task(keeper.keep()) if STREAMS in roles else None
            log.info("worker ready", roles=roles, pid=os.getpid(), metrics=metrics)
            await stop.wait()
            log.info("worker stopping", pid=os.getpid(), graceful_seconds=settings.graceful_seconds)
            if keeping is not None:
                keeping.cancel()
            _leave_by((graceful + MARGIN).total_seconds())
            await asyncio.gather(*(worker.shutdown() for worker in workers))
    finally:
        await exchange.close()
        if isinstance(mailing.texts, SmsTransport):
            await mailing.texts.close()
        await stores.close()
    log.info("worker stopped", pid=os.getpid())
    # while the workers still exist: Temporal's core complains of each local activity's timer left
    _leave(0)


def _leave_by(seconds: float) -> None:
    """End the process by then whatever still hangs: it can be killed anywhere, others go on.

    A thread's timer, for the event loop itself may be what hangs.
    """

    def give_up() -> None:
        log.warning("worker leaves unfinished work to others", pid=os.getpid())
        _leave(0)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()


def _stop_signals() -> asyncio.Event:
    """The first signal asks to stop, the second leaves at once; so does the end of the parent."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked(number: int) -> None:
        if stop.is_set():
            _leave(128 + number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked, number)
    parent = multiprocessing.parent_process()
    if parent is not None:
        loop.add_reader(parent.sentinel, _parent_gone, loop, parent.sentinel, stop)
    return stop


def _parent_gone(loop: asyncio.AbstractEventLoop, sentinel: int, stop: asyncio.Event) -> None:
    loop.remove_reader(sentinel)
    stop.set()


def _leave(code: int) -> None:
    logging.shutdown()
    os._exit(code)


def _mailing(settings: Settings, roles: tuple[str, ...], askers: Askers) -> Mailing:
    relay, signer = mail_settings.relay(settings), mail_settings.signer(settings)
    mailing = Mailing(
        relay,
        links=mail_settings.links(settings),
        withheld=mail_settings.withheld(settings, relay),
        allowed=mail_settings.allowed_recipients(settings),
        return_path=mail_settings.return_path(settings),
        sign=signer.sign if signer is not None else None,
        rates=mail_settings.rates(settings),
        texts=text_settings.texts(settings),
        texts_from=settings.sms_from,
        summarise=alert_summaries(askers) if EMAIL in roles else None,
    )
    if mailing.withheld is not None and EMAIL in roles:
        log.warning("marketing mail is withheld", why=mailing.withheld)
    if mailing.allowed is not None:
        log.warning("mail goes to few alone", allow_recipients=mailing.allowed.written)
    return mailing


def _exchange(settings: Settings) -> ServiceClient:
    return ServiceClient(
        ServiceHttp(service_settings.allowed_hosts(settings.service_hosts)), service_secrets()
    )


def _reached(settings: Settings) -> ReachedAt:
    url = f"{settings.public_url}{CALLBACK_PATH}" if settings.public_url else ""
    return ReachedAt(url, settings.gateway_secret)


def run_process(roles: tuple[str, ...], metrics: str | None) -> None:
    """The body of one worker process; exits non-zero with one sentence where it cannot start."""
    if multiprocessing.parent_process() is not None:
        os.setsid()  # the terminal's Ctrl-C goes to the parent, which passes it on once
    try:
        settings = Settings.load()
        configure_logs(settings.log_level, settings.log_format)
        leave_failures_to_us()
        collect_seldom()
        asyncio.run(work(settings, roles, metrics))
    except (SettingsError, StoreError, NotReady) as error:
        _refuse(str(error))
    except RPCError as error:
        _refuse(f"Temporal at {settings.temporal_address} refuses: {error.message}")
    except KeyboardInterrupt:
        _leave(130)


def _refuse(why: str) -> None:
    print(f"worker: {why}", file=sys.stderr, flush=True)
    # not by way of the interpreter's end: threads of Temporal's core may still call into it
    _leave(1)


def run_processes(count: int, roles: tuple[str, ...], metrics: list[str | None]) -> int:
    """Run several worker processes until they are told to stop; returns the exit code.

    When one dies the others are asked to stop and the code is 1: whoever supervises us (systemd,
    Kubernetes) restarts the whole, and nothing is lost meanwhile.
    """
    context = multiprocessing.get_context("spawn")
    processes: list[SpawnProcess] = []
    asked: list[int] = []

    def pass_on(number: int, _frame: object = None) -> None:
        asked.append(number)
        for process in processes:
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, pass_on)
    for number in range(count):
        process = context.Process(target=run_process, args=(roles, metrics[number]))
        process.start()
        processes.append(process)
    ended = wait([process.sentinel for process in processes])
    if not asked:
        for process in processes:
            if process.sentinel in ended:
                process.join()  # its sentinel goes a moment before its exit code comes
                log.error("a worker process died", pid=process.pid, exit_code=process.exitcode)
        pass_on(signal.SIGTERM)
    for process in processes:
        process.join()
    good = {0, *(-number for number in asked)}
    return 0 if all(process.exitcode in good for process in processes) else 1


def main() -> None:
    """Parse the command line and run one process, or several and wait for them."""
    given = _arguments()
    ports: list[str | None] = [
        f"{given.metrics_host}:{given.metrics_port + n}" if given.metrics_port else None
        for n in range(given.processes)
    ]
    if given.processes == 1:
        run_process(given.roles, ports[0])
        return
    environment = read_environment()
    configure_logs(environment.log_level, environment.log_format)
    sys.exit(run_processes(given.processes, given.roles, ports))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--roles",
        type=_roles,
        default=ROLES,
        help="comma-separated: journeys, email, calls, decisions, streams",
    )
    parser.add_argument(
        "--processes", type=int, default=1, help="worker processes to run; if one dies, all stop"
    )
    parser.add_argument(
        "--metrics-port",
        type=int,
        help="Prometheus port of the first process, the next ones follow; default: METRICS_PORT, or none",
    )
    parser.add_argument(
        "--metrics-host", default="127.0.0.1", help="where metrics are served; 0.0.0.0: everywhere"
    )
    given = parser.parse_args()
    if given.processes < 1:
        parser.error("--processes is 1 or more")
    try:
        given.metrics_port = given.metrics_port or read_environment().metrics_port
    except SettingsError as error:
        parser.exit(1, f"worker: {error}\n")
    return given


def _roles(text: str) -> tuple[str, ...]:
    roles = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = sorted(set(roles) - set(ROLES))
    if unknown or not roles:
        what = f"unknown role {unknown[0]}" if unknown else "no role named"
        raise argparse.ArgumentTypeError(f"{what}: the roles are {', '.join(ROLES)}")
    return roles


if __name__ == "__main__":
    main()
