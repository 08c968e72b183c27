"""Facts in a database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy import String, TextClause, bindparam, text
from sqlalchemy.exc import DataError, SQLAlchemyError

from shared.messages.facts import Facts
from shared.settings.turn.fact_source import FactSourceSettings
from workers.fact_sources.fact_reading import facts_from
from workers.fact_sources.parameters import needed_by
from workers.fact_sources.read_only_engine import open_read_only
from workers.fact_sources.source import FactsUnavailable, Parameters

Row = Mapping[str, object]
Table = tuple[Sequence[str], Sequence[Row]]
"""The names of the columns, and the rows."""


class SqlSource:
    """Runs the query of the settings; every parameter is bound, as text, and never spliced in.

    The query is wrapped into a SELECT with a limit, in a transaction that can only read.
    """

    def __init__(self, settings: FactSourceSettings) -> None:
        self._settings = settings
        self._engine = open_read_only(settings)
        self._needed = needed_by(settings)
        self._statement = _limited(settings.query or "", self._needed, settings.max_rows + 1)
        self._under_way: set[asyncio.Task[Table]] = set()

    async def look_up(self, parameters: Parameters) -> Facts:
        """The facts of the row, or of all rows under their names."""
        bound = {name: parameters[name] for name in self._needed}
        _, rows = await self._read(self._statement, bound)
        most = self._settings.max_rows if self._settings.name_column else 1
        if len(rows) > most:
            raise FactsUnavailable(
                f"returned more than {most} row(s): narrow the query, or set name_column"
            )
        facts: Facts = {}
        for row in rows:
            facts |= self._facts(row)
        return facts

    async def probe(self) -> str:
        """The query as it is, for nobody: its columns must be those that the settings name."""
        statement = _limited(self._settings.query or "", self._needed, 0)
        columns, _ = await self._read(statement, dict.fromkeys(self._needed))
        named = [*self._settings.facts, self._settings.name_column]
        missing = [name for name in named if name and name not in columns]
        if missing:
            raise FactsUnavailable(f"has no column {', '.join(missing)} in its query: name it so")
        return f"its query runs and gives {', '.join(columns)}"

    async def close(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=self._settings.timeout_seconds)
        await self._engine.dispose()

    def _facts(self, row: Row) -> Facts:
        column = self._settings.name_column
        if column is None:
            return facts_from(row, self._settings.facts)
        owner = row.get(column)
        if not owner:
            raise FactsUnavailable(f"gives no '{column}' to name a row by: let the query fill it")
        own = {name: value for name, value in row.items() if name != column}
        return facts_from(own, self._settings.facts, prefix=f"{owner}_")

    async def _read(self, statement: TextClause, bound: Mapping[str, str | None]) -> Table:
        """In a task that is left behind when it is late: a driver whose server fell silent takes
        many seconds to find out that it cannot even cancel."""
        reading = asyncio.create_task(self._execute(statement, bound))
        self._under_way.add(reading)
        reading.add_done_callback(self._forget)
        try:
            await asyncio.wait({reading}, timeout=self._settings.timeout_seconds)
        finally:
            reading.cancel()
        if not reading.done():
            seconds = self._settings.timeout_seconds
            raise FactsUnavailable(f"did not answer within {seconds:g} s")
        try:
            return reading.result()
        except (SQLAlchemyError, OSError) as error:
            raise FactsUnavailable(_reason(error)) from error

    async def _execute(self, statement: TextClause, bound: Mapping[str, str | None]) -> Table:
        async with self._engine.connect() as connection:
            result = await connection.execute(statement, dict(bound))
            return list(result.keys()), [dict(row) for row in result.mappings()]

    def _forget(self, reading: asyncio.Task[Table]) -> None:
        self._under_way.discard(reading)
        if not reading.cancelled():
            reading.exception()  # seen here, for nobody else may look any more


def _limited(query: str, needed: frozenset[str], rows: int) -> TextClause:
    # On lines of its own, so that a comment at the query's end hides nothing of ours.
    bare = query.strip().rstrip(";")
    wrapped = text(f"SELECT * FROM (\n{bare}\n) AS facts_of_source LIMIT {rows}")  # noqa: S608
    return wrapped.bindparams(*(bindparam(name, type_=String) for name in needed))


def _reason(error: Exception) -> str:
    """What the driver said, less what it may quote of a message."""
    origin = getattr(error, "orig", None) or error
    if isinstance(error, DataError):
        return f"cannot take what the message gives ({type(origin).__name__}): mend the query"
    return str(origin).partition("\n")[0] or type(origin).__name__
