"""One link of a chain, and the judge that its answers pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from workers.providers.outcome import Answer
from workers.providers.provider import Provider
from workers.providers.walking.retry import RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    provider: Provider
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a judge says of an answer: good to go, or rejected for a reason."""

    accepted: bool
    reason: str = ""


Judge = Callable[[Answer], Awaitable[Judgement]]
