"""The ways on which constant text goes to the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from shared.persistence.prepared.sqlite_thread import SqliteWriter


class StatementRoad(Protocol):
    """Where statements as text are run, each a transaction of its own."""

    async def rows(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """What the statement returns; it is committed then.

        Raises LedgerUnavailable, and DBAPIError for a value that the database refuses.
        """

    async def close(self) -> None:
        """Let go of its connections; whoever asks after that opens others."""


@dataclass(frozen=True, slots=True)
class Roads:
    """Commits on `durable` are on disk when they return; on `relaxed` a crash of the database may
    forget the last moments. `reading` writes nothing, and on SQLite waits for no writer.

    `writer` is SQLite's durable road, for whoever has more than one statement to commit.
    """

    durable: StatementRoad
    relaxed: StatementRoad
    reading: StatementRoad
    writer: SqliteWriter | None = None

    async def close(self) -> None:
        for road in (self.durable, self.relaxed, self.reading):
            await road.close()
