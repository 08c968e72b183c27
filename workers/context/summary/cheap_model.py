"""The protocol of the model that writes summaries."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from shared.costs.purse import Purse
from shared.messages.record import MessageRecord
from workers.turn import Booking


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
        book: Booking,
    ) -> str | None:
        """Do to the material as instructed, on behalf of the message; None where that fails.

        A call that `purse` cannot pay for is not made. The calls are counted in the metrics here
        and given to `book`, also where this is cancelled.
        """
        ...
