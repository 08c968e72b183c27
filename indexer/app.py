"""celery -A indexer.app worker: the indexers' application. `python -m indexer` types the rest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from celery import Celery, signals

from indexer.building import open_indexer
from indexer.crew import IndexCrew
from indexer.tasks import complaint_about_arguments, register_tasks
from shared.collector import leave_what_stays_to_itself
from shared.errors import BrokerUnavailable
from shared.pool.installation import install_asyncio_pool
from shared.queueing.celery_app import build_celery_app
from shared.queueing.dead_letters.letter import Letter
from shared.queueing.dead_letters.sink import DeadLetterSink, build_dead_letter_sink
from shared.queueing.declaration import declare_topology
from shared.queueing.reading.patience import until_available
from shared.queueing.topology import QueueName, kombu_queue
from shared.settings import Settings, load_settings, with_secrets
from shared.telemetry.logs import configure_logs


def build_indexer_app(settings: Settings) -> Celery:
    """The application: its task, its pool, and what its processes own while they run."""
    app = build_celery_app(settings, name="indexer")
    app.conf.task_queues = [kombu_queue(QueueName.INDEX, settings.broker)]
    app.conf.worker_concurrency = settings.index.concurrency
    running: list[IndexCrew] = []
    sinks: list[DeadLetterSink] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        with suppress(BrokerUnavailable):
            # A broker that is away is waited for by Celery; the crew looks by itself meanwhile.
            await asyncio.to_thread(declare_topology, settings.broker)
        sink = build_dead_letter_sink(settings.broker)
        await sink.start()
        sinks.append(sink)
        try:
            async with open_indexer(with_secrets(settings)) as crew:
                running.append(crew)
                leave_what_stays_to_itself()
                yield
                running.clear()
        finally:
            sinks.clear()
            await sink.close()

    register_tasks(app, running)
    install_asyncio_pool(app)

    async def bury(letter: Letter) -> None:
        await until_available(lambda: sinks[0].bury(letter))

    # The pool looks for these by name; Celery's own type does not know them.
    app.lifespan = lifespan  # type: ignore[attr-defined]
    app.on_poison = bury  # type: ignore[attr-defined]
    app.complaint_about_arguments = complaint_about_arguments  # type: ignore[attr-defined]
    signals.setup_logging.connect(lambda **_: _configure_logs(settings), weak=False)
    return app


def _configure_logs(settings: Settings) -> None:
    configure_logs(settings.telemetry)
    # Celery writes two lines for every task; Flower, metrics and traces tell the same.
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)


app = build_indexer_app(load_settings())
