"""Redis as it is waited for in tests in which it is there all the time.

The product does without it after half a second, for which a busy machine may stand still. A process
waits as long for it that is started as

    python -m tests.integration.patience MODULE ARGUMENTS…
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from shared.redis.connection import KeepingPool
from shared.redis.guarded import GuardedRedis
from shared.settings.indexing.search import SearchSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings

PatientSettings = Callable[[str], RedisSettings]
PATIENCE_SECONDS = 30.0
PATIENT_SEARCH = SearchSettings(
    encoder_timeout_seconds=PATIENCE_SECONDS,
    store_timeout_seconds=PATIENCE_SECONDS,
    keyword_timeout_seconds=PATIENCE_SECONDS,
    symbols_timeout_seconds=PATIENCE_SECONDS,
)
"""So that no leg of a search is left out."""


def patient_settings(url: str) -> RedisSettings:
    """More than settings may say."""
    return RedisSettings(url=ServerUrl(url), timeout_seconds=PATIENCE_SECONDS)


@contextmanager
def patient_circuits(seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Circuits that are made meanwhile are as patient."""
    defaults = GuardedRedis.__init__.__kwdefaults__
    usual = defaults["timeout_seconds"]
    defaults["timeout_seconds"] = seconds
    try:
        yield
    finally:
        defaults["timeout_seconds"] = usual


def wait_for_redis_always() -> None:
    """For the rest of this process, in whatever it opens."""
    from workers.caching.semantic import shared_cache  # a worker's alone

    open_pool = KeepingPool.from_url

    def open_patient_pool(url: str, **options: Any) -> KeepingPool:
        waits = ("timeout", "socket_timeout", "socket_connect_timeout")
        return open_pool(url, **options | dict.fromkeys(waits, PATIENCE_SECONDS))

    KeepingPool.from_url = open_patient_pool  # type: ignore[method-assign, assignment]
    GuardedRedis.__init__.__kwdefaults__["timeout_seconds"] = PATIENCE_SECONDS
    shared_cache.TIMEOUT_SECONDS = PATIENCE_SECONDS  # type: ignore[misc]


if __name__ == "__main__":
    wait_for_redis_always()
    del sys.argv[0]  # the module finds its own arguments behind its name
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
