"""The empty task once more, for our own pool: `celery -A tests.benchmarks.stock.coroutines`."""

from __future__ import annotations

from shared.pool.installation import install_asyncio_pool
from tests.benchmarks.stock.tasks import app

install_asyncio_pool(app)


@app.task(name="tests.benchmarks.stock.tasks.empty_coroutine")
async def empty() -> None:
    """Do nothing."""
