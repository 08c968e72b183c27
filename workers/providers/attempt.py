"""The record of what a chain tried: stored and paid for, whether it succeeded or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.clock import Clock
from shared.errors import ForebayError
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer, HandedOff, Oddity, Usage
from workers.providers.provider import Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call of one provider."""

    provider: str
    model: str
    ordinal: int
    """1 for the first call of the chain, counted across providers."""
    started_at: datetime
    latency_seconds: float
    error_class: ErrorClass | None = None
    """None when the attempt gave the outcome."""
    usage: Usage | None = None
    """None when the provider did not get as far as naming its figures."""
    first_token_seconds: float | None = None
    """From the call to the first piece of a streamed answer, where it came so far."""
    detail: str = ""
    oddities: frozenset[Oddity] = frozenset()


class StartedAttempt:
    """An attempt whose end is not known yet; it measures from its creation."""

    def __init__(self, *, provider: str, model: str, ordinal: int, clock: Clock) -> None:
        self.provider = provider
        self.model = model
        self._ordinal = ordinal
        self._clock = clock
        self._started_at = clock.now()
        self._started = clock.monotonic()
        self._first_token_seconds: float | None = None
        self.heard_size = 0
        """Bytes of the answer that have come so far."""

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return self._clock.monotonic() - self._started

    def hear_token(self) -> None:
        """The first piece of the answer is here."""
        self._first_token_seconds = self.seconds

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
            ordinal=self._ordinal,
            started_at=self._started_at,
            latency_seconds=self.seconds,
            error_class=error_class,
            usage=usage,
            first_token_seconds=self._first_token_seconds,
            detail=detail,
            oddities=oddities,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    outcome: Answer | HandedOff
    provider: str
    prompt: Prompt
    """What was answered: it may be a shorter one than the chain was asked."""
    attempts: tuple[Attempt, ...]
    skipped: tuple[str, ...] = ()
    """Providers that were not asked, or not asked again, because their breaker was open."""


class ChainExhaustedError(ForebayError):
    """No provider of the chain answered in the time there was; `attempts` says why not."""

    code = "chain_exhausted"
    retryable = True

    def __init__(self, attempts: tuple[Attempt, ...], skipped: tuple[str, ...] = ()) -> None:
        super().__init__(_summary(attempts, skipped))
        self.attempts = attempts
        self.skipped = skipped


def _summary(attempts: tuple[Attempt, ...], skipped: tuple[str, ...]) -> str:
    if not attempts and not skipped:
        return "no provider was called: the deadline had passed or the chain is empty"
    tried = [f"{attempt.provider}: {attempt.error_class}" for attempt in attempts]
    tries = ", ".join([*tried, *(f"{provider}: breaker open" for provider in skipped)])
    return f"no provider answered ({tries})"
