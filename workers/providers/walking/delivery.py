"""The text of an attempt on its way: measured, passed on to the caller, and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from shared.clock import Clock
from workers.providers.attempt import Attempt
from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderTimeoutError
from workers.providers.outcome import Oddity, Usage
from workers.providers.provider import Piece, Sink
from workers.providers.walking.lateness import Hedging, Kind

RestartSignal = Callable[[], Awaitable[None]]


class TextDelivery:
    """Passes text on and remembers that it did, so that no provider is switched silently."""

    def __init__(self, on_delta: Sink | None, on_restart: RestartSignal | None) -> None:
        self._on_delta = on_delta
        self._on_restart = on_restart
        self.has_delivered = False
        """Whether the caller has seen any since it was last told to forget it."""

    @property
    def sink(self) -> Sink | None:
        """Where a provider puts its text; None when nobody wants it piece by piece."""
        return self._deliver if self._on_delta is not None else None

    async def start_over(self) -> None:
        """Before another attempt: tell the caller to forget what it has seen."""
        self.has_delivered = False
        if self._on_restart is not None:
            await self._on_restart()

    async def _deliver(self, text: Piece) -> None:
        if self._on_delta is not None:
            self.has_delivered = True
            await self._on_delta(text)


class StartedAttempt:
    """An attempt whose end is not known yet; it measures from its creation."""

    def __init__(
        self,
        *,
        provider: str,
        model: str,
        ordinal: int,
        clock: Clock,
        deployment: str | None = None,
    ) -> None:
        self.provider = provider
        self.model = model
        self.deployment = deployment
        self._ordinal = ordinal
        self._clock = clock
        self._started_at = clock.now()
        self._started = clock.monotonic()
        self.first_token_seconds: float | None = None
        """Until the first piece came; None where none is told of, or nobody wanted pieces."""
        self.heard: list[str] = []
        """The pieces of the answer that have come so far."""

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return self._clock.monotonic() - self._started

    def hear_token(self) -> None:
        """The first piece of the answer is here."""
        self.first_token_seconds = self.seconds

    def succeeded(
        self, *, usage: Usage | None, detail: str = "", oddities: frozenset[Oddity] = frozenset()
    ) -> Attempt:
        return self._ended(usage=usage, detail=detail, oddities=oddities)

    def failed(
        self,
        error_class: ErrorClass,
        *,
        detail: str,
        usage: Usage | None = None,
        oddities: frozenset[Oddity] = frozenset(),
    ) -> Attempt:
        return self._ended(error_class=error_class, detail=detail, usage=usage, oddities=oddities)

    def _ended(
        self,
        *,
        error_class: ErrorClass | None = None,
        detail: str = "",
        usage: Usage | None = None,
        oddities: frozenset[Oddity] = frozenset(),
    ) -> Attempt:
        return Attempt(
            provider=self.provider,
            model=self.model,
            deployment=self.deployment,
            ordinal=self._ordinal,
            started_at=self._started_at,
            latency_seconds=self.seconds,
            error_class=error_class,
            usage=usage,
            first_token_seconds=self.first_token_seconds,
            detail=detail,
            oddities=oddities,
        )


class FirstToken:
    """Stands between a provider and whoever wants its text, for as long as one call runs."""

    def __init__(
        self, attempt: StartedAttempt, sink: Sink | None, *, kind: Kind, hedging: Hedging | None
    ) -> None:
        self._attempt = attempt
        self._sink = sink
        self._hedging = hedging
        self._kind = kind
        self._is_heard = False

    @property
    def sink(self) -> Sink:
        """Where the provider puts its text: what has come of it is counted in any case."""
        return self._pass_on

    def hear(self) -> None:
        """The first piece is here; a whole answer is one piece."""
        if self._is_heard:
            return
        self._is_heard = True
        if self._sink is not None:
            self._attempt.hear_token()
        if self._hedging is not None:
            self._hedging.learn(self._kind, self._attempt.seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_heard or self._hedging is None:
            return
        if isinstance(error, asyncio.CancelledError | ProviderTimeoutError):
            self._hedging.learn_at_least(self._kind, self._attempt.seconds)

    async def _pass_on(self, piece: Piece) -> None:
        if isinstance(piece, str):
            self._attempt.heard.append(piece)
        if self._sink is not None:
            self.hear()
            await self._sink(piece)
