"""celery -A workers.app worker: the agent workers' application. `forebay worker` types the rest."""

from __future__ import annotations

from celery import Celery

from shared.messages.lane import Lane
from shared.persistence.ledger.worker_lease import WorkerOffer
from shared.pool.room import furnish
from shared.queueing.celery_app import build_celery_app
from shared.queueing.topology import AGENT_QUEUES, kombu_queue, lane_queue
from shared.settings import Settings, load_settings, with_secrets
from workers.building.runtime import open_runtime
from workers.pipeline import Pipeline
from workers.tasks import complaint_about_arguments, register_tasks


def build_worker_app(settings: Settings) -> Celery:
    """The application: its tasks, its pool, and what its processes own while they run."""
    app = build_celery_app(settings, name="workers")
    # Other queues have other readers: a worker that is told nothing reads the agents' only.
    app.conf.task_queues = [kombu_queue(name, settings.broker) for name in AGENT_QUEUES]
    running: list[Pipeline] = []
    register_tasks(app, running)
    furnish(
        app,
        settings,
        lambda settings: open_runtime(with_secrets(settings), _offer_of(app)),
        running,
        complaint_about_arguments=complaint_about_arguments,
    )
    return app


def _offer_of(app: Celery) -> WorkerOffer:
    """What the process can hold at once, as its pool was told, and the lanes that it reads."""
    queues = app.amqp.queues.consume_from
    lanes = [lane for lane in Lane if lane_queue(lane) in queues]
    return WorkerOffer(app.turns_at_once, lanes)  # type: ignore[attr-defined]


app = build_worker_app(load_settings())
