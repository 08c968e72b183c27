"""Runs of golden sets in the ledger: written by who runs them, read by people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Integer, bindparam, func, select, tuple_, update

from shared.errors import NotFound
from shared.evaluation.kept_run import (
    CaseResult,
    KeptRun,
    result_of_row,
    row_of_result,
    row_of_run,
    run_of_row,
)
from shared.evaluation.tables import RunState, evaluation_result, evaluation_run
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, reading, transaction, upsert
from shared.storable_text import is_storable


class EvaluationCatalogue:
    """Everything raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert_run = insert_new(evaluation_run, sqlite_dialect=database.is_sqlite)
        insert = upsert(evaluation_result, sqlite_dialect=database.is_sqlite)
        key = {"run_id", "case_id", "repeat"}
        changing = {each.name: each for each in insert.excluded if each.name not in key}
        self._keep = insert.on_conflict_do_update(index_elements=sorted(key), set_=changing)

    async def begin(self, run: KeptRun) -> None:
        """Keep a run that has just begun."""
        async with transaction(self._database.durable) as connection:
            await connection.execute(self._insert_run, row_of_run(run))

    async def keep(self, run_id: str, results: Sequence[CaseResult]) -> None:
        """Keep what cases came to; one that is there already is replaced."""
        if not results:
            return
        rows = [row_of_result(run_id, each) for each in results]
        async with transaction(self._database.durable) as connection:
            await connection.execute(self._keep, rows)

    async def end(self, run: KeptRun) -> None:
        """Keep how it ended: its state, its costs and its scores."""
        row = row_of_run(run)
        ended = {name: row[name] for name in _ENDING}
        query = update(evaluation_run).where(evaluation_run.c.id == run.id).values(ended)
        async with transaction(self._database.durable) as connection:
            await connection.execute(query)

    async def find(self, run_id: str) -> KeptRun:
        """One run; raises NotFound."""
        found = None
        if is_storable(run_id):
            async with reading(self._database.relaxed) as connection:
                found = (await connection.execute(_FIND, {"id": run_id})).one_or_none()
        if found is None:
            raise NotFound(f"There is no run '{run_id[:64]}'. See: forebay eval list", param="run")
        return run_of_row(found)

    async def runs(
        self, *, after: str | None = None, limit: int = 50, set_name: str | None = None
    ) -> list[KeptRun]:
        """A page of runs, the newest first, from behind the id `after`; of one set or of all."""
        query = _NEWEST
        if set_name is not None:
            query = query.where(evaluation_run.c.set_name == set_name)
        if after is not None:
            query = query.where(evaluation_run.c.id < after)
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(query, {"limit": limit})
            return [run_of_row(row) for row in rows]

    async def newest_of_each_set(self, *, limit: int) -> list[KeptRun]:
        """The last run of each set that was not stopped; of sets that were run last."""
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_NEWEST_OF_SETS, {"limit": limit})
            return [run_of_row(row) for row in rows]

    async def results(
        self, run_id: str, *, after: tuple[str, int] | None = None, limit: int = 200
    ) -> list[CaseResult]:
        """A page of what its cases came to, by the case's id, from behind that case and repeat."""
        query = _RESULTS
        if after is not None:
            query = query.where(tuple_(_CASE.case_id, _CASE.repeat) > after)
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(query, {"run": run_id, "limit": limit})
            return [result_of_row(row) for row in rows]

    async def all_results(self, run_id: str) -> list[CaseResult]:
        """What all of its cases came to, read a page at a time."""
        found: list[CaseResult] = []
        after: tuple[str, int] | None = None
        while page := await self.results(run_id, after=after, limit=_PAGE):
            found += page
            after = (page[-1].case_id, page[-1].repeat)
        return found


_PAGE: Final = 1000
_ENDING: Final = ("variant", "state", "finished_at", "cases", "cost", "judge_cost", "scores")
_CASE: Final = evaluation_result.c
_LIMIT: Final = bindparam("limit", type_=Integer)
_FIND: Final = select(evaluation_run).where(evaluation_run.c.id == bindparam("id"))
_NEWEST: Final = select(evaluation_run).order_by(evaluation_run.c.id.desc()).limit(_LIMIT)
_NEWEST_OF_SETS: Final = _NEWEST.where(
    evaluation_run.c.id.in_(
        select(func.max(evaluation_run.c.id))
        .where(evaluation_run.c.state == RunState.COMPLETED)
        .group_by(evaluation_run.c.set_name)
    )
)
_RESULTS: Final = (
    select(evaluation_result)
    .where(_CASE.run_id == bindparam("run"))
    .order_by(_CASE.case_id, _CASE.repeat)
    .limit(_LIMIT)
)
