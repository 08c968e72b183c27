"""What a judge may still cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

import msgspec


class AnswerJudged(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one answer. `passed` is None where there is no verdict; `left_out` says why it
    was not asked about. `cost` is the judge's, in US dollars, None where its price is not known."""

    passed: bool | None = None
    left_out: str | None = None
    cost: Decimal | None = Decimal(0)


class JudgePurse(Protocol):
    """Money that is set aside for a judge."""

    async def has_more(self) -> bool:
        """Whether it may be asked once more: the last question may spend more than there was."""
        ...

    async def note(self, judged: AnswerJudged) -> None:
        """One answer is done."""
        ...
