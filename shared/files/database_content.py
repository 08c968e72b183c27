"""Contents as rows of the ledger's database: no host needs a disk that others see."""

from __future__ import annotations

from asyncio import Semaphore
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from shared.files.drafts import stood_still
from shared.files.tables import content_chunk
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction

_AT_ONCE: Final = 2
"""Connections that files take of a process's pool: messages want theirs too."""

_WRITE: Final = insert(content_chunk)
_READ: Final = select(content_chunk.c.body).where(
    content_chunk.c.content_id == bindparam("content_id"),
    content_chunk.c.ordinal == bindparam("ordinal"),
)
_FIRST: Final = select(func.min(content_chunk.c.ordinal)).where(
    content_chunk.c.content_id == bindparam("content_id")
)
_DELETE: Final = delete(content_chunk).where(
    content_chunk.c.content_id == bindparam("content_id"),
    content_chunk.c.ordinal < bindparam("end"),
)


class DatabaseContent:
    """A ContentStore.

    Chunks are committed without waiting for the disk: the log of either database is one sequence,
    and the commit that names them waits for all that stands before it.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.relaxed
        self._turns = Semaphore(_AT_ONCE)

    async def write(self, content_id: str, ordinal: int, chunk: bytes) -> None:
        row = {"content_id": content_id, "ordinal": ordinal, "body": chunk}
        try:
            async with self._turns, transaction(self._engine) as connection:
                await connection.execute(_WRITE, row)
        except IntegrityError as error:
            raise stood_still() from error

    async def read(self, content_id: str, ordinal: int) -> bytes | None:
        wanted = {"content_id": content_id, "ordinal": ordinal}
        async with self._turns, reading(self._engine) as connection:
            body: bytes | None = await connection.scalar(_READ, wanted)
        return body

    async def delete(self, content_id: str, *, limit: int) -> int:
        async with self._turns, transaction(self._engine) as connection:
            first = await connection.scalar(_FIRST, {"content_id": content_id})
            if first is None:
                return 0
            bounds = {"content_id": content_id, "end": first + limit}
            return (await connection.execute(_DELETE, bounds)).rowcount
