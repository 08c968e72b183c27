"""What every walk of a chain works with, and the log of what its calls end in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from shared.clock import Clock
from shared.telemetry.logs import get_logger
from shared.telemetry.tracing import SilentTracing, Tracing
from workers.providers.error_class import ErrorClass
from workers.providers.walking.lateness import Hedging

Sleep = Callable[[float], Awaitable[None]]
_SAID_AGAIN_SECONDS: Final = 60.0
"""A provider that fails every other time would fill the log with its changes."""

_Model = tuple[str, str]


class ProviderLog:
    """Says when a provider begins to fail, fails by another class, or answers again.

    Of one model each of these at most once a minute. What a provider wrote is not said: it may
    quote a prompt. `forebay providers` shows it.
    """

    def __init__(self) -> None:
        self._failing: dict[_Model, ErrorClass] = {}
        self._said: dict[tuple[_Model, ErrorClass | None], float] = {}
        self._log = get_logger(__name__)

    def failed(
        self, provider: str, model: str, error_class: ErrorClass, status: int | None, *, now: float
    ) -> None:
        """A call ended in this class; `now` is any clock's seconds, always the same clock's."""
        about = provider, model
        before = self._failing.get(about)
        if before is error_class:
            return
        self._failing[about] = error_class
        if self._is_new(about, error_class, now):
            self._log.warning(
                "provider_fails",
                provider=provider,
                model=model,
                error_class=error_class,
                status=status,
                before=before or "answers",
            )

    def answered(self, provider: str, model: str, *, now: float) -> None:
        """A call was answered."""
        about = provider, model
        before = self._failing.pop(about, None)
        if before is not None and self._is_new(about, None, now):
            self._log.warning("provider_answers", provider=provider, model=model, before=before)

    def _is_new(self, about: _Model, error_class: ErrorClass | None, now: float) -> bool:
        said = self._said.get((about, error_class))
        if said is not None and now - said < _SAID_AGAIN_SECONDS:
            return False
        self._said[about, error_class] = now
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """The clock, the dice, how to wait, where spans and lines go, what is late if that matters."""

    clock: Clock
    random: Random = field(default_factory=Random)
    sleep: Sleep = asyncio.sleep
    tracing: Tracing = field(default_factory=SilentTracing)
    hedging: Hedging | None = None
    log: ProviderLog = field(default_factory=ProviderLog)
