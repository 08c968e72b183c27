"""What a day will have cost when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Final

LOOKBACK: Final = timedelta(hours=3)
STEP: Final = timedelta(minutes=10)


def forecast(spent: Decimal, steps: Sequence[Decimal], now: datetime) -> Decimal:
    """`spent` until now, and for the rest of the day (UTC) the median of what the last steps cost.

    A single dear minute does not move it, as it would move a mean. Without steps it is what was
    spent.
    """
    if not steps:
        return spent
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    left = Decimal((midnight - now) / STEP)
    return spent + median(steps) * left
