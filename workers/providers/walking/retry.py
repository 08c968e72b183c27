"""Whether a failed attempt is worth another try with the same provider, and after which wait."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from workers.providers.error_class import ErrorClass
from workers.providers.failures import (
    ProviderError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter; the tries of a provider depend on how it failed."""

    max_tries: int = 3
    first_backoff_seconds: float = 0.5
    longest_backoff_seconds: float = 8.0

    def wait_after(
        self,
        error: ProviderError,
        *,
        tries: int,
        took_seconds: float,
        time_left_seconds: float,
        random: Random,
    ) -> float | None:
        """Seconds to wait before the same provider is tried again; None to go on without it.

        `Retry-After` is a floor, with jitter on top so that not everybody returns at once. A wait
        that does not fit into the time left is not begun, and a timeout is not repeated when the
        time left is shorter than what it took.
        """
        if tries >= min(self.max_tries, error.error_class.tries):
            return None
        if error.error_class is ErrorClass.TIMEOUT and time_left_seconds < took_seconds:
            return None
        backoff = min(self.longest_backoff_seconds, self.first_backoff_seconds * 2 ** (tries - 1))
        wait = (error.retry_after_seconds or 0.0) + random.uniform(0.0, backoff)
        return wait if wait < time_left_seconds else None
