"""What a judge may still cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

import msgspec


class AnswerJudged(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one answer. `passed` is None where there is no verdict, and `why` says why not;
    `left_out` says why it was not asked about. `cost` is the judge's, in US dollars, None where its
    price is not known; `was_asked` is False where it had judged the same before. `is_drawn` says
    that it was drawn by chance."""

    passed: bool | None = None
    why: str = ""
    left_out: str | None = None
    cost: Decimal | None = Decimal(0)
    was_asked: bool = False
    is_drawn: bool = False


class JudgePurse(Protocol):
    """Money that is set aside for a judge."""

    async def has_more(self, under_way: int) -> bool:
        """Whether it may be asked once more, beside so many questions that have not been noted: the
        last ones may spend more than there was."""
        ...

    async def note(self, judged: AnswerJudged, *, is_done: bool = True) -> None:
        """One answer is done, or only its cost is known."""
        ...


class DearestQuestion:
    """What a question may cost, by those that were asked."""

    def __init__(self) -> None:
        self._dearest: Decimal | None = None

    def learn(self, judged: AnswerJudged) -> None:
        """One has been asked."""
        if judged.was_asked and judged.cost is not None:
            self._dearest = max(judged.cost, self._dearest or judged.cost)

    def fits(self, under_way: int, *, spent: Decimal, budget: Decimal) -> bool:
        """Whether one more may be asked: the first alone, for nobody knows yet what it costs."""
        if under_way and self._dearest is None:
            return False
        return spent + under_way * (self._dearest or 0) < budget
