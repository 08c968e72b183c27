"""celery -A indexer.app worker: the indexers' application. `python -m indexer` types the rest."""

from __future__ import annotations

from celery import Celery

from indexer.building import open_indexer
from indexer.crew import IndexCrew
from indexer.tasks import complaint_about_arguments, register_tasks
from shared.pool.room import furnish
from shared.queueing.celery_app import build_celery_app
from shared.queueing.topology import QueueName, kombu_queue
from shared.settings import Settings, load_settings


def build_indexer_app(settings: Settings) -> Celery:
    """The application: its task, its pool, and what its processes own while they run."""
    app = build_celery_app(settings, name="indexer")
    app.conf.task_queues = [kombu_queue(QueueName.INDEX, settings.broker)]
    app.conf.worker_concurrency = settings.index.concurrency
    running: list[IndexCrew] = []
    register_tasks(app, running)
    furnish(
        app,
        settings,
        open_indexer,
        running,
        complaint_about_arguments=complaint_about_arguments,
    )
    return app


app = build_indexer_app(load_settings())
