"""Bind an application to the asyncio pool."""

from __future__ import annotations

from celery import Celery, bootsteps

from shared.pool.errors import PoolRefused
from shared.pool.pool import AsyncioPool

COMMAND = (
    "CELERY_CUSTOM_WORKER_POOL=shared.pool.pool:AsyncioPool "
    "celery -A workers.app worker --pool custom --concurrency 500"
)


class AsyncioPoolOnly(bootsteps.Step):
    """Refuses to boot a worker whose pool cannot run coroutines."""

    def __init__(self, parent: object, **kwargs: object) -> None:
        super().__init__(parent, **kwargs)
        pool = parent.pool_cls  # type: ignore[attr-defined]
        if not (isinstance(pool, type) and issubclass(pool, AsyncioPool)):
            raise PoolRefused(
                f"These tasks are coroutines and run in the asyncio pool only: type "
                f"`forebay worker`, or `{COMMAND}`."
            )


def require_asyncio_pool(app: Celery) -> None:
    """Make workers of this application refuse to start under any other pool, with the remedy.

    The `celery` command prints the sentence and exits with 1; a worker built in Python raises
    PoolRefused.
    """
    app.steps["worker"].add(AsyncioPoolOnly)


def install_asyncio_pool(app: Celery) -> None:
    """Give the application the pool's consumer, and refuse any other pool."""
    app.conf.worker_consumer = "shared.pool.consumer:HubConsumer"
    require_asyncio_pool(app)
