"""The protocol of the model that writes summaries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.costs.purse import Purse
from shared.messages.record import MessageRecord
from shared.persistence.ledger.records import AttemptRecord


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote, None when it did not, and every call that was made for it."""

    text: str | None
    attempts: tuple[AttemptRecord, ...] = ()


class CheapModel(Protocol):
    """Writes short texts for little money."""

    async def write(
        self,
        instructions: str,
        material: str,
        *,
        record: MessageRecord,
        max_output_tokens: int,
        deadline: datetime,
        purse: Purse | None,
    ) -> Written:
        """Do to the material as instructed, on behalf of the message; never raises for a failure.

        A call that `purse` cannot pay for is not made.
        The calls are counted in the metrics but booked by whoever asked.
        """
        ...
