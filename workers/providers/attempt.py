"""The record of what a chain tried, paid for in any case, and what a judge said of the answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from shared.errors import ForebayError
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer, HandedOff, Oddity, Usage
from workers.providers.provider import Prompt


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
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
    deployment: str | None = None
    """Where it was made, of a provider with several."""


class ChainResult(msgspec.Struct, frozen=True, kw_only=True):
    outcome: Answer | HandedOff
    provider: str
    prompt: Prompt
    """What was answered: it may be a shorter one than the chain was asked."""
    attempts: tuple[Attempt, ...]
    skipped: tuple[str, ...] = ()
    """Providers that were not asked, or not asked again, because their breaker was open."""


class ModelsAwayError(Exception):
    """No model of the chain is there, and the message has the time to wait for one."""


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
    tried = [f"{attempt.provider}: {_end(attempt)}" for attempt in attempts]
    tries = ", ".join([*tried, *(f"{provider}: breaker open" for provider in skipped)])
    return f"no provider answered ({tries})"


def _end(attempt: Attempt) -> str:
    """What is declined is named: who sent it can send something else."""
    if attempt.error_class is ErrorClass.DECLINED and attempt.detail:
        return f"{attempt.error_class}, for {attempt.detail}"
    return f"{attempt.error_class}"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge says of an answer: good to go, or rejected for a reason.

    `reason` is stored with the attempt, so it quotes nothing that must not be.
    """

    accepted: bool
    reason: str = ""
    answer: Answer | None = None
    """What goes out in the place of an accepted answer that had to be mended."""
    complaint: str | None = None
    """What to tell the provider that is asked once more; None to go on without it."""
    hands_off: bool = False
    """Whether only a human may answer now."""


class RejectedAnswer(Exception):
    """Raised once the attempt is booked; `judgement` says what is to be done."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(judgement.reason)
        self.judgement = judgement


Judge = Callable[[Answer], Awaitable[Judgement]]

Called = Callable[[tuple[Attempt, ...]], None]
"""Is told what was called as soon as the walk has ended, however it did: it was paid for."""
