"""The states of the system, and the findings that they follow from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec


class SystemState(StrEnum):
    """From best to worst; the system is as bad as its worst finding."""

    HEALTHY = "healthy"
    """Messages are accepted, and models answer them."""
    DEGRADED = "degraded"
    """Messages are accepted and answered, but not as they should be."""
    DOWN = "down"
    """Messages are not accepted, or nobody answers what is."""


class StateFinding(msgspec.Struct, frozen=True):
    """Why it is not healthy: which part, how bad it is, and one sentence for a person."""

    part: str
    state: SystemState
    sentence: str


class SystemStatus(msgspec.Struct, frozen=True):
    """How the system was at one moment. No findings: it was healthy."""

    state: SystemState
    at: datetime
    findings: list[StateFinding]

    @property
    def is_healthy(self) -> bool:
        return self.state is SystemState.HEALTHY


_ORDER: Final = list(SystemState)


def status_of(findings: Iterable[StateFinding], at: datetime) -> SystemStatus:
    """The worst first."""
    worst_first = sorted(findings, key=lambda each: -_ORDER.index(each.state))
    state = worst_first[0].state if worst_first else SystemState.HEALTHY
    return SystemStatus(state, at, worst_first)


def degraded(part: str, sentence: str) -> StateFinding:
    return StateFinding(part, SystemState.DEGRADED, sentence)


def down(part: str, sentence: str) -> StateFinding:
    return StateFinding(part, SystemState.DOWN, sentence)
