"""One time whose answers workers have judged, as it is kept."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec
from sqlalchemy import Row

_LONGEST = 200
_MOST_REASONS = 8
_OTHERS = "Other reasons."


class JudgedWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of `judged_window`, `reasons` read: why so many answers have no verdict.

    `fault` is why nothing of it is judged at the moment.
    """

    starts_at: datetime
    ends_at: datetime
    done: int = 0
    judged: int = 0
    passed: int = 0
    without_verdict: int = 0
    left_over: int = 0
    cost: Decimal = Decimal(0)
    unknown_costs: int = 0
    finished_at: datetime | None = None
    reasons: dict[str, int] = msgspec.field(default_factory=dict)
    fault: str | None = None
    drawn: int | None = 0
    drawn_passed: int | None = 0
    """Of those that have a verdict, what was drawn by chance: a sample of all answers, which the
    suspicious ones are not. None of times before that was kept."""

    def row(self) -> dict[str, object]:
        """As it is kept."""
        return msgspec.structs.asdict(self) | {"reasons": reasons_kept(self.reasons)}


def window_of(row: Row[object]) -> JudgedWindow:
    """That of a row of the whole table."""
    told = dict(row._mapping)
    reasons = msgspec.json.decode(told["reasons"] or "{}", type=dict[str, int])
    return JudgedWindow(**told | {"reasons": reasons})


def with_reason(reasons: dict[str, int], why: str) -> dict[str, int]:
    """With one more answer that has no verdict for it; what comes behind the eighth reason is
    counted together."""
    why = why[:_LONGEST]
    if why not in reasons and len(reasons) >= _MOST_REASONS:
        why = _OTHERS
    return reasons | {why: reasons.get(why, 0) + 1}


def reasons_kept(reasons: dict[str, int]) -> str | None:
    """As the table keeps them."""
    return msgspec.json.encode(reasons).decode() if reasons else None
