"""Redis as it is waited for in tests in which it is there all the time.

The product does without it after half a second, for which a busy machine may stand still.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.redis.guarded import GuardedRedis
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings

PatientSettings = Callable[[str], RedisSettings]
PATIENCE_SECONDS = 10.0


def patient_settings(url: str) -> RedisSettings:
    """More than settings may say."""
    return RedisSettings(url=ServerUrl(url), timeout_seconds=PATIENCE_SECONDS)


@contextmanager
def patient_circuits() -> Iterator[None]:
    """Circuits that are made meanwhile are as patient."""
    defaults = GuardedRedis.__init__.__kwdefaults__
    usual = defaults["timeout_seconds"]
    defaults["timeout_seconds"] = PATIENCE_SECONDS
    try:
        yield
    finally:
        defaults["timeout_seconds"] = usual
