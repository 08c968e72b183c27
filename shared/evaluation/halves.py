"""What may be looked at while something is tuned, and what may not."""

from __future__ import annotations

import hashlib
from enum import StrEnum


class CaseHalf(StrEnum):
    """Choose on the one, report the other."""

    TUNED = "tuned"
    HELD_OUT = "held-out"


def half_of(case: str) -> CaseHalf:
    """By the case's id alone: it never moves, however many others there are."""
    return CaseHalf.HELD_OUT if hashlib.sha256(case.encode()).digest()[0] & 1 else CaseHalf.TUNED
