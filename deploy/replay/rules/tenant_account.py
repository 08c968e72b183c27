"""What is kept of one tenant: slots, levels, money, what its answers have taught."""

from __future__ import annotations

from typing import Final

from deploy.replay.rules.slots import Slots
from deploy.replay.rules.spending import SpendingRules
from deploy.replay.rules.user_record import RECORD_SECONDS, UserRecord

_TENANT_SECONDS: Final = 86_400.0
_OUTPUT_QUANTILE: Final = 0.9
_SMALLEST_STEP: Final = 0.05


class TenantAccount:
    """As account.lua keeps it; levels are those at the time `at`."""

    __slots__ = (
        "answers",
        "at",
        "p90",
        "requests",
        "slots",
        "spending",
        "tokens",
        "users",
        "written_at",
    )

    def __init__(self) -> None:
        self.slots = Slots()
        self.users: dict[str | None, UserRecord] = {}
        self.spending: SpendingRules | None = None
        self.requests = self.tokens = self.at = 0.0
        self.p90, self.answers = -1.0, 0.0
        self.written_at: float | None = None

    def forget_old(self, now: float) -> None:
        """Redis keeps the levels for a day after the last word."""
        if self.written_at is not None and now - self.written_at >= _TENANT_SECONDS:
            self.requests = self.tokens = self.at = 0.0
            self.p90, self.answers, self.written_at = -1.0, 0.0, None

    def user(self, name: str | None, now: float) -> UserRecord | None:
        """None of one that is not known, or not any more."""
        record = self.users.get(name)
        if record is not None and now - record.written_at >= RECORD_SECONDS:
            del self.users[name]
            return None
        return record

    def learn(self, output: float | None) -> None:
        """The learned p90 of output tokens stands still where nine answers in ten are shorter."""
        if output is None:
            return
        if self.answers == 0:
            self.p90 = max(output, 1.0)
        step = max(_SMALLEST_STEP, 1 / (self.answers + 2))
        is_within = 1 if output <= self.p90 else 0
        self.p90 = max(1.0, self.p90 * (1 + step * (_OUTPUT_QUANTILE - is_within)))
        self.answers += 1
