"""celery -A indexer.app worker: the indexers' application. `python -m indexer` types the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from celery import Celery

from indexer.building import open_indexer
from indexer.crew import IndexCrew
from indexer.posting.document_intake import DocumentIntake
from indexer.posting.opening import open_document_intake
from indexer.posting.task import register_documents
from indexer.tasks import complaint_about_arguments, register_tasks
from shared.persistence.engine import open_database
from shared.pool.room import furnish
from shared.queueing.celery_app import build_celery_app
from shared.queueing.topology import QueueName, kombu_queue
from shared.settings import Settings, load_settings


def build_indexer_app(settings: Settings) -> Celery:
    """The application: its tasks, its pool, and what its processes own while they run."""
    app = build_celery_app(settings, name="indexer")
    app.conf.task_queues = [kombu_queue(QueueName.INDEX, settings.broker)]
    app.conf.worker_concurrency = settings.index.concurrency
    running: list[IndexCrew] = []
    intakes: list[DocumentIntake] = []

    @asynccontextmanager
    async def open_room(settings: Settings) -> AsyncIterator[IndexCrew]:
        database = open_database(settings.ledger)
        try:
            async with (
                open_indexer(settings, database) as crew,
                open_document_intake(settings, database, wake=crew.wake) as intake,
            ):
                intakes.append(intake)
                yield crew
                intakes.clear()
        finally:
            await database.close()

    register_tasks(app, running)
    register_documents(app, intakes)
    furnish(
        app,
        settings,
        open_room,
        running,
        complaint_about_arguments=complaint_about_arguments,
    )
    # Documents come with their contents; the pool looks for it by name.
    app.message_limit_bytes = settings.ingress.body_limit_bytes  # type: ignore[attr-defined]
    return app


app = build_indexer_app(load_settings())
