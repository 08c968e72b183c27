"""A Celery application with one empty task, for any pool."""

from __future__ import annotations

import os

from celery import Celery

from shared.pool.installation import install_asyncio_pool

app = Celery("pool-benchmark", broker=os.environ.get("POOL_BROKER"))
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_default_queue="bench",
    task_default_queue_type="classic",
    worker_prefetch_multiplier=1,
    broker_heartbeat=0,
)

if os.environ.get("POOL_NAME") == "custom":
    install_asyncio_pool(app)

    @app.task(name="bench.empty")
    async def empty() -> None:
        """Do nothing."""

else:

    @app.task(name="bench.empty")
    def empty() -> None:
        """Do nothing."""
