"""What judges said, kept so that none is asked the same twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy import bindparam, select

from shared.clock import Clock
from shared.evaluation.tables import judge_verdict
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, reading, transaction


class GivenVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of `judge_verdict` but for the time."""

    judge: str
    answer_digest: str
    passed: bool
    cost: Decimal | None


class JudgeVerdicts:
    """Everything raises LedgerUnavailable. It holds digests, and nothing that was said."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._insert = insert_new(judge_verdict, sqlite_dialect=database.is_sqlite)

    async def find(self, judge: str, answer_digest: str) -> bool | None:
        """Whether it passed; None where this judge has not judged it."""
        wanted = {"judge": judge, "answer": answer_digest}
        async with reading(self._database.relaxed) as connection:
            found: bool | None = (await connection.execute(_FIND, wanted)).scalar_one_or_none()
            return found

    async def keep(self, given: GivenVerdict) -> None:
        """The first that is given stands."""
        row = msgspec.structs.asdict(given) | {"given_at": self._clock.now()}
        async with transaction(self._database.durable) as connection:
            await connection.execute(self._insert, row)


_FIND: Final = select(judge_verdict.c.passed).where(
    judge_verdict.c.judge == bindparam("judge"),
    judge_verdict.c.answer_digest == bindparam("answer"),
)
