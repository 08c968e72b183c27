"""One part of the stack: how it is started, when it is ready, how it is asked to stop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum


class StopTurn(IntEnum):
    """Who stops first: the door, so that nothing new comes; the servers everybody needs last."""

    DOOR = 0
    WORK = 1
    SERVER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRole:
    """A program that is kept running.

    `is_ready` is asked until it does its work. `patience_seconds` is how long it may take to
    stop by itself after SIGTERM. The stack does not wait for a part that is not needed for an
    answer, and goes on without it while it is away.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    is_ready: Callable[[], Awaitable[bool]]
    stop_turn: StopTurn
    patience_seconds: float
    is_needed: bool = True
