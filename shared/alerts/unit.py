"""How people read a figure."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never


class FigureUnit(StrEnum):
    """What a figure counts."""

    COUNT = "count"
    SECONDS = "seconds"
    SHARE = "share"
    TIMES = "times"
    SCORE = "score"

    def shown(self, value: float) -> str:
        """The value as a message has it."""
        match self:
            case FigureUnit.COUNT:
                return f"{value:,.4g}" if value % 1 else f"{value:,.0f}"
            case FigureUnit.SECONDS:
                return _duration(value)
            case FigureUnit.SHARE:
                return f"{value * 100:.3g} %"
            case FigureUnit.SCORE:
                return f"{value:.2f}"
            case FigureUnit.TIMES:
                return f"{value:.3g}x"
            case _:
                assert_never(self)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.1f} h"
