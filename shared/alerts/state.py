"""In what state an alert is, and what may happen to it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class AlertState(StrEnum):
    """pending ──► firing ──► resolved ──► pending again; pending ──► resolved (it never fired)"""

    PENDING = "pending"
    """Its rule holds, and not for long enough yet."""
    FIRING = "firing"
    RESOLVED = "resolved"


ALLOWED: Final[Mapping[AlertState, frozenset[AlertState]]] = MappingProxyType(
    {
        AlertState.PENDING: frozenset({AlertState.FIRING, AlertState.RESOLVED}),
        AlertState.FIRING: frozenset({AlertState.RESOLVED}),
        AlertState.RESOLVED: frozenset({AlertState.PENDING}),
    }
)
"""What may follow each state."""


class AlertEventKind(StrEnum):
    """What the history says of an alert."""

    FIRED = "fired"
    REMINDED = "reminded"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
