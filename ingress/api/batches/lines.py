"""/v1/batches/{id}/lines: one line of a batch is cancelled, and the others go on."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from ingress.api.batches.batch_door import BatchDoor
from ingress.api.batches.batch_object import batch_object
from ingress.api.http.exchange import Exchange
from ingress.api.stored_responses import cancel_response
from shared.batches.batch import LONGEST_CUSTOM_ID
from shared.batches.line_cancelling import LineCancelling
from shared.batches.state import BatchSurface
from shared.decoding import decode_json
from shared.errors import Conflict
from shared.messages.state import ResponseState


class CancelLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which line of a batch is not wanted any more."""

    custom_id: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CUSTOM_ID)]


_decoder: Final = msgspec.json.Decoder(CancelLine)


class LinesOfBatches:
    """Lines of batches of the caller's tenant, by the `custom_id` that its file gave them."""

    def __init__(self, batches: BatchDoor, cancelling: LineCancelling) -> None:
        self._batches = batches
        self._cancelling = cancelling

    async def cancel(self, exchange: Exchange) -> None:
        """Answer nothing to this line; raises NotFound, and Conflict where it has ended."""
        door = self._batches.door
        caller, found = await self._batches.find(exchange, BatchSurface.OPENAI)
        asked = decode_json(_decoder, await door.read_json(exchange))
        taking = self._cancelling.take_out(found, asked.custom_id)
        message_id = await self._batches.patience.wait(taking)
        if message_id is not None:
            record = await cancel_response(door, message_id, caller)
            if record.state is not ResponseState.CANCELLED:
                raise Conflict(
                    f"The line '{asked.custom_id}' is {record.state} already: nothing is left to "
                    "cancel."
                )
        counts, usage = await self._batches.figures(found)
        told = batch_object(found, counts, usage, now=self._batches.clock.now())
        await exchange.answer(200, msgspec.json.encode(told))
