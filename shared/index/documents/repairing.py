"""What a comparison with the stores asks of the ledger, and what it writes there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select, update

from shared.clock import Clock
from shared.index.document import Document
from shared.index.documents.chunk_rows import OF_DOCUMENT
from shared.index.documents.rows import IS, PENDING_AGAIN, key
from shared.index.states import ChunkState, DocumentState
from shared.index.tables import chunk, document
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction


class ChunkRepair:
    """For stores that were put back to another day; everything raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdList(database.relaxed.dialect)
        self._known = _KNOWN.where(self._ids.holds(chunk.c.point_id))

    async def unknown(self, generation: str, point_ids: Sequence[str]) -> list[str]:
        """Those that no row names: nobody wrote them, or their rows were forgotten since."""
        wanted = self._ids.parameters(point_ids) | {"generation": generation}
        async with reading(self._database.relaxed) as connection:
            known = {*(await connection.execute(self._known, wanted)).scalars()}
        return [each for each in point_ids if each not in known]

    async def write_again(self, of: Document, generation: str, *, above: int) -> bool:
        """Have all chunks of it written again, with the vectors that are kept, as of a version
        above that one, which a store has; False where it changed since it was read."""
        new = max(of.ver, above) + 1
        async with transaction(self._database.durable) as connection:
            offered = key(of) | {"b_ver": of.ver, "b_new": new, "b_now": self._clock.now()}
            if not (await connection.execute(_OFFER, offered)).rowcount:
                return False
            chunks = key(of) | {"generations": [generation]}
            await connection.execute(_DOUBT, chunks)
        return True


_KNOWN: Final = select(chunk.c.point_id).where(chunk.c.generation == bindparam("generation"))
_OFFER: Final = (
    update(document)
    .where(
        *IS,
        document.c.ver == bindparam("b_ver"),
        document.c.state == DocumentState.COMPLETED,
    )
    .values(
        PENDING_AGAIN | {"ver": bindparam("b_new"), "digest": None, "due_at": bindparam("b_now")}
    )
)
_DOUBT: Final = update(chunk).where(*OF_DOCUMENT).values(state=ChunkState.PLANNED)
