"""A day as replay knows it: who asked what and when, and what became of it. No words are in it."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec

from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.messages.tenant import Plan
from shared.messages.turn_report import CacheKind
from shared.reservations.account import EPOCH_DAY
from shared.settings.door import LimitSettings

EPOCH: Final = (EPOCH_DAY - date(1970, 1, 1).toordinal()) * 86_400.0
"""Seconds of replay count from here, as those of Redis' scripts do."""
NANO: Final = 1_000_000_000
_OF_CACHED: Final = 0.9
_OF_OUTPUT: Final = 4


class RecordedAttempt(msgspec.Struct, frozen=True):
    """One call: `offset` seconds after its message was claimed, and so long. `cost` is in
    billionths of a dollar, None where nobody knows; `error` is the class of its failure."""

    provider: str
    model: str
    offset: float
    latency: float
    error: str | None = None
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: int | None = 0

    @property
    def units(self) -> float:
        """In tokens of uncached input."""
        return self.input_tokens - _OF_CACHED * self.cached_tokens + _OF_OUTPUT * self.output_tokens


class RecordedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message that came, `at` its second.

    `waited` is from acceptance to claim and `took` from there to the end; None where it never came
    to that. `key` is what its question has in common with those that one answer would do for; None
    where nothing may be stored for it. `source` is the message whose stored answer it was given.
    """

    id: str
    tenant: str
    lane: Lane
    at: float
    deadline: float
    user: str | None = None
    estimated_tokens: int = 0
    digest: bytes = b""
    prompt_bytes: int = 0
    max_output_tokens: int | None = None
    asked: str = ""
    """The model or tier that it named."""
    key: str | None = None
    may_be_kept: bool = False
    waited: float | None = None
    took: float | None = None
    held: bool = False
    released: float | None = None
    """Seconds from its acceptance to its last release, where it was held."""
    state: ResponseState = ResponseState.COMPLETED
    attempts: tuple[RecordedAttempt, ...] = ()
    """Of its last turn, up to its end."""
    earlier: tuple[tuple[float, float], ...] = ()
    """Turns before that, which gave way or were lost: from when to when they called somebody, in
    seconds after its acceptance."""
    cost_beside: int = 0
    """Of earlier turns, and of what was called when the answer was there."""
    hit: CacheKind | None = None
    source: str | None = None
    age: float = 0.0
    """Of the stored answer, when it was given."""
    similarity: float | None = None
    is_false_hit: bool = False
    refused: str | None = None
    """Why the door refused it, of one that was not accepted: all but its time and tenant is
    guessed."""

    @property
    def cost(self) -> int:
        """What is known of it."""
        return self.cost_beside + sum(each.cost or 0 for each in self.attempts)


class RecordedDay(msgspec.Struct, frozen=True, kw_only=True):
    """All that came between two moments, in its order."""

    began: float
    ended: float
    messages: list[RecordedMessage]
    slots: int
    """Turns that the workers could hold at once, all together."""
    plans: dict[str, Plan]
    """Of tenants that have one of their own."""
    limits: LimitSettings | None = None
    """Those that doors went by; None where what came is not what they decided on."""
    refusals_known: bool = False
    """Whether doors kept count of what they refused."""
    false_hits_known: bool = False
    """Whether anybody could say that a stored answer was wrong."""
