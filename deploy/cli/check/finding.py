"""One thing found by a check."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """Only a fault keeps Forebay from starting."""

    FINE = "fine"
    HINT = "hint"
    FAULT = "fault"


class CheckFinding(msgspec.Struct, frozen=True):
    """One human sentence about one part, with the fix where there is one to make."""

    part: str
    level: Level
    sentence: str


def fine(part: str, sentence: str) -> CheckFinding:
    return CheckFinding(part, Level.FINE, sentence)


def hint(part: str, sentence: str) -> CheckFinding:
    return CheckFinding(part, Level.HINT, sentence)


def fault(part: str, sentence: str) -> CheckFinding:
    return CheckFinding(part, Level.FAULT, sentence)
