"""What the Celery applications of workers and of indexers have in common."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import TypeVar

from celery import Celery, signals

from shared.collector import leave_what_stays_to_itself
from shared.errors import BrokerUnavailable
from shared.pool.installation import install_asyncio_pool
from shared.queueing.dead_letters.letter import Letter
from shared.queueing.dead_letters.sink import DeadLetterSink
from shared.queueing.declaration import declare_topology
from shared.queueing.parcel import Parcel
from shared.queueing.parcels import ParcelPublisher, build_parcel_publisher
from shared.queueing.reading.patience import until_available
from shared.settings import Settings
from shared.telemetry.logs import configure_logs

_Part = TypeVar("_Part")


def furnish(
    app: Celery,
    settings: Settings,
    open_part: Callable[[Settings], AbstractAsyncContextManager[_Part]],
    running: list[_Part],
    *,
    complaint_about_arguments: Callable[[str, object, object], str | None],
) -> None:
    """Gives the application the asyncio pool, and its processes their logs and their own part.

    The part is open while the process runs, and `running` holds it for the tasks; what cannot be
    read is buried. A broker that is away is waited for by Celery.
    """
    sinks: list[tuple[DeadLetterSink, ParcelPublisher]] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        with suppress(BrokerUnavailable):
            # It is set up by whoever comes first.
            await asyncio.to_thread(declare_topology, settings.broker)
        parcels = build_parcel_publisher(settings.broker)
        sink = DeadLetterSink(parcels)
        await sink.start()
        sinks.append((sink, parcels))
        try:
            async with open_part(settings) as part:
                running.append(part)
                leave_what_stays_to_itself()
                yield
                running.clear()
        finally:
            sinks.clear()
            await sink.close()

    async def bury(letter: Letter) -> None:
        await until_available(lambda: sinks[0][0].bury(letter))

    async def publish_alone(parcels: Sequence[Parcel]) -> None:
        send = sinks[0][1].send
        await asyncio.gather(*[until_available(partial(send, parcel)) for parcel in parcels])

    install_asyncio_pool(app)
    # The pool looks for these by name; Celery's own type does not know them.
    app.lifespan = lifespan  # type: ignore[attr-defined]
    app.on_poison = bury  # type: ignore[attr-defined]
    app.publish_alone = publish_alone  # type: ignore[attr-defined]
    app.complaint_about_arguments = complaint_about_arguments  # type: ignore[attr-defined]
    signals.setup_logging.connect(lambda **_: _configure_logs(settings), weak=False)


def _configure_logs(settings: Settings) -> None:
    configure_logs(settings.telemetry)
    # Celery writes two lines for every task; Flower, metrics and traces tell the same.
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)
