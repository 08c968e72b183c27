"""One line of a batch that nobody wants any more: the others go on."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, and_, bindparam, exists, select, update

from shared.batches.batch import Batch
from shared.batches.item_statements import LINE_CANCELLED
from shared.batches.state import OPEN_BATCHES, BatchEndpoint, BatchState
from shared.batches.tables import batch, batch_item
from shared.errors import Conflict, NotFound
from shared.persistence.engine import Database
from shared.storable_text import is_storable

_EMBEDDED: Final = (
    f"Lines of {BatchEndpoint.EMBEDDINGS} are answered as they are read: none of them waits to be "
    "cancelled by itself. Cancel the batch."
)
_WHY: Final = "This line was cancelled by itself before it was answered."


class LineCancelling:
    """Takes lines out of batches that run; raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_out(self, of: Batch, custom_id: str) -> str | None:
        """The id of the message to be cancelled for it; None where the line alone is, since an
        equal one of its batch waits for the same message. Taken out again it is told the same.

        Raises NotFound for a line that the batch does not have, and Conflict where the batch or
        the line has ended, while lines are still read, as an equal one may come, and where they
        ask for no messages.
        """
        if not is_storable(custom_id):
            raise _unknown(of, custom_id)
        return await self._database.commit(lambda on: self._take_out(on, of, custom_id))

    def _take_out(self, on: Connection, of: Batch, custom_id: str) -> str | None:
        # Equal lines that are taken out side by side take turns here, and with the batch's end.
        held = on.execute(_HOLD, {"id": of.id}).one_or_none()
        if held is None:  # deleted since it was found
            raise NotFound(f"No batch found with id '{of.id}'.", param="batch_id")
        _check(held.state)
        if of.endpoint is BatchEndpoint.EMBEDDINGS:
            raise Conflict(_EMBEDDED)
        if held.expanded_at is None:
            raise Conflict(
                f"The batch is {held.state}, and its lines are still read. Ask again then."
            )
        line = on.execute(_LINE, {"batch": of.id, "custom_id": custom_id}).first()
        if line is None:
            raise _unknown(of, custom_id)
        if line.message_id is None:
            if line.error_code == LINE_CANCELLED:
                return None
            raise Conflict(f"The line '{custom_id}' was refused: nothing is left to cancel.")
        named = {"b_batch": of.id, "b_line": line.line}
        message_id: str = line.message_id
        if on.execute(_LEAVE, named | {"b_message": message_id}).rowcount:
            return None
        # Its outcome is that of its message: this is told only where that is cancelled.
        on.execute(_EXPLAIN, named)
        return message_id


def _check(state: BatchState) -> None:
    if state not in OPEN_BATCHES:
        raise Conflict(f"The batch is {state} already: nothing is left to cancel.")


def _unknown(of: Batch, custom_id: str) -> NotFound:
    told = f"Batch '{of.id}' has no line with the custom_id '{custom_id[:64]}'."
    return NotFound(told, param="custom_id")


_HOLD: Final = (
    select(batch.c.state, batch.c.expanded_at)
    .where(batch.c.id == bindparam("id"))
    .with_for_update()
)
# A line that could not be read is called by its number, which another may be called too.
_LINE: Final = (
    select(batch_item.c.line, batch_item.c.message_id, batch_item.c.error_code)
    .where(
        batch_item.c.batch_id == bindparam("batch"),
        batch_item.c.custom_id == bindparam("custom_id"),
    )
    .order_by(batch_item.c.message_id.is_(None), batch_item.c.line)
    .limit(1)
)
_REASON: Final = {"error_code": LINE_CANCELLED, "error_message": _WHY}
_OF_LINE: Final = update(batch_item).where(
    batch_item.c.batch_id == bindparam("b_batch"), batch_item.c.line == bindparam("b_line")
)
_EQUAL: Final = batch_item.alias("equal_line")
_LEAVE: Final = _OF_LINE.where(
    exists().where(
        and_(
            _EQUAL.c.message_id == bindparam("b_message"),
            _EQUAL.c.batch_id == bindparam("b_batch"),
            _EQUAL.c.line != bindparam("b_line"),
        )
    )
).values(message_id=None, **_REASON)
_EXPLAIN: Final = _OF_LINE.values(_REASON)
