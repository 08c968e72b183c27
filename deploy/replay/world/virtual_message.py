"""A message on its way through the virtual fleet, and what became of it."""

from __future__ import annotations

from deploy.replay.day.recorded_day import RecordedAttempt, RecordedMessage
from deploy.replay.rules.asked import Asked
from shared.messages.state import ResponseState
from shared.messages.turn_report import CacheKind


class VirtualMessage:
    """`waited` is as of RecordedMessage. `turn` counts its turns: what belongs to an earlier one is
    void."""

    __slots__ = (
        "asked",
        "claimed_at",
        "claims",
        "cost",
        "held",
        "hit",
        "is_false_hit",
        "leads",
        "message",
        "output_tokens",
        "refused_by",
        "state",
        "tokens",
        "turn",
        "units",
        "unused",
        "waited",
    )

    def __init__(self, message: RecordedMessage) -> None:
        self.message = message
        self.asked: Asked | None = None
        self.refused_by: str | None = None
        self.held = False
        self.claims = 0
        self.claimed_at = 0.0
        self.turn = 0
        self.waited: float | None = None
        self.state: ResponseState | None = None
        self.cost = 0
        self.units = 0.0
        self.tokens = 0
        self.output_tokens: int | None = None
        self.hit: CacheKind | None = None
        self.is_false_hit = False
        self.leads = False
        self.unused: list[RecordedAttempt] = []
