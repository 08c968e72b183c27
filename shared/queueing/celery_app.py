"""The Celery application of a room, with every switch set that a default would get wrong."""

from __future__ import annotations

import socket
from typing import Any, Final

from celery import Celery

from shared.identifiers import new_id
from shared.queueing.broker_address import BrokerAddress
from shared.queueing.broker_connection import transport_options
from shared.queueing.topology import EXCHANGE, QueueName, kombu_queues
from shared.settings.servers import BrokerSettings
from shared.settings.settings import Settings

_WORKER_PATIENCE_SECONDS: Final = 5.0


def build_celery_app(settings: Settings, *, name: str) -> Celery:
    """An app without tasks; nothing connects until a worker starts.

    Pass `include=` or register tasks afterwards. Our own publishers do the publishing.
    """
    app = Celery(
        name,
        broker=str(settings.broker.url),
        set_as_current=False,
    )
    # Answers travel by Redis streams. Celery takes CELERY_RESULT_BACKEND of somebody's environment
    # before `backend=` and before its settings, but not before this.
    app.backend_cls = "disabled"
    app.conf.update(
        **_messages(),
        **_delivery(settings),
        **_connection(settings.broker),
        **_observation(),
        worker_soft_shutdown_timeout=settings.worker.soft_shutdown_seconds,
    )
    return app


def unique_node_name(role: str) -> str:
    """A worker's name that no other has: of two with one name RabbitMQ ends the second."""
    return f"{role}-{new_id('node').rpartition('_')[2][-8:]}@{socket.gethostname()}"


def _messages() -> dict[str, Any]:
    """JSON and nothing else: pickle runs whatever a message says."""
    return {
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        "task_serializer": "json",
        "event_serializer": "json",
        # Celery looks at it for each message, although there is no backend.
        "task_ignore_result": True,
        "enable_utc": True,
        "timezone": "UTC",
    }


def _delivery(settings: Settings) -> dict[str, Any]:
    """A message is acknowledged when its turn has ended, however it ended."""
    worker = settings.worker
    return {
        "task_acks_late": True,
        # Without it the death of a pool child acknowledges, and loses, its message.
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": worker.prefetch_multiplier,
        "worker_concurrency": worker.concurrency,
        "task_soft_time_limit": worker.soft_time_limit_seconds,
        "task_time_limit": worker.hard_time_limit_seconds,
        "task_queues": kombu_queues(settings.broker),
        # A misspelt queue name fails instead of becoming a classic queue without dead letters.
        "task_create_missing_queues": False,
        "task_default_queue": QueueName.MAINTENANCE.value,
        "task_default_exchange": "" if settings.broker.is_redis else EXCHANGE,
        "task_default_exchange_type": "direct" if settings.broker.is_redis else "topic",
        "task_default_routing_key": QueueName.MAINTENANCE.value,
        # Celery declares 28 queues for its own delays next to ours; ours live in the ledger.
        "broker_native_delayed_delivery_queue_type": "classic",
    }


def _connection(broker: BrokerSettings) -> dict[str, Any]:
    """Every wait for the broker ends, and the worker comes back after any restart of it."""
    options = transport_options(broker, patience_seconds=_WORKER_PATIENCE_SECONDS)
    # Only events are published through the app; waiting for each one's confirm would stall the
    # thread that acknowledges.
    options.pop("confirm_publish", None)
    return {
        # By the URL's scheme alone Celery would encrypt to Redis without verifying anything.
        "broker_use_ssl": BrokerAddress.of(broker).kombu_ssl,
        "broker_heartbeat": broker.heartbeat_seconds,
        "broker_connection_timeout": _WORKER_PATIENCE_SECONDS,
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "broker_transport_options": options,
        # A turn goes on while the broker is away: claims make its redelivery harmless.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # Else a lost connection shrinks the prefetch to what is running.
        "worker_enable_prefetch_count_reduction": False,
    }


def _observation() -> dict[str, Any]:
    """For Flower and `celery inspect`; our own logs, metrics and traces need none of it."""
    return {
        "worker_send_task_events": True,
        # One metric series of Flower's for each producer process otherwise.
        "task_send_sent_event": False,
        "worker_enable_remote_control": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }
