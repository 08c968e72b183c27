"""Why a message waited longer than in a queue: lines in its own row, written with what let it wait.

They cost no statement: each is a part of the update that holds a message, lets it go or takes it
from a worker. A message that a door published and a worker answered has none.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Text, bindparam, func

from shared.persistence.tables import message


class WaitCause(StrEnum):
    """What it waited for."""

    SLOTS = "slots"
    """All slots were taken, or its tenant had had its share of them."""
    NO_WORKER = "no_worker"
    """No worker answered its lane."""
    CEILING = "ceiling"
    """So much was taken that its lane started nothing."""
    PARKED = "parked"
    """No model would have answered it."""
    GAVE_WAY = "gave_way"
    """Its turn was taken back for messages that people wait for."""
    MODELS_AWAY = "models_away"
    """Its turn found no model, and it had the time to wait for one."""
    FAULT = "fault"
    """Its turn broke off, and it is tried again later."""
    WORKER_STOPPED = "worker_stopped"
    """Its worker was told to stop."""
    WORKER_SILENT = "worker_silent"
    """Its worker was not heard of any more."""
    LEFT_BATCH = "left_batch"
    """The provider's batch that it was in gave it back."""


class WaitNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reason. Without `until` it counts for as long as the message then waited.

    `why` is a sentence for people; it quotes nothing that was said.
    """

    cause: WaitCause
    since: datetime
    until: datetime | None = None
    why: str = ""

    @property
    def is_of_hold(self) -> bool:
        """Whether it tells why the dispatcher held it: what was held is over at `until`."""
        return self.cause in _OF_HOLD

    @property
    def ends_turn(self) -> bool:
        """Whether it tells why a turn had no end: the message waits from `since` on."""
        return not self.is_of_hold and self.cause is not WaitCause.PARKED

    def line(self) -> str:
        """As it is kept."""
        return f"{msgspec.json.encode(self).decode()}\n"


_OF_HOLD = frozenset({WaitCause.SLOTS, WaitCause.NO_WORKER, WaitCause.CEILING})


def noted(note: WaitNote | None = None) -> dict[str, ColumnElement[Any]]:
    """What an update of messages sets to add the note, or else the lines given as `b_note`."""
    line = bindparam("b_note", type_=Text) if note is None else bindparam(None, note.line(), Text)
    return {message.c.waits.name: func.coalesce(message.c.waits, "") + line}


def read_notes(waits: str | None) -> list[WaitNote]:
    """In the order in which they were written; what this version cannot read is left out."""
    found = []
    for line in (waits or "").splitlines():
        try:
            found.append(msgspec.json.decode(line, type=WaitNote))
        except msgspec.DecodeError:
            continue
    return found
