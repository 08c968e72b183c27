"""What people said of the answers of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, func, select

from shared.feedback.tables import feedback, is_said_by_person
from shared.feedback.verdict import FAULTS
from shared.persistence.engine import Database
from shared.persistence.statements import reading

_AT_ONCE: Final = 500


async def satisfaction_of(database: Database, response_ids: Sequence[str]) -> dict[str, float]:
    """By response, the mean of what people said, 0 to 1; one of which nobody did is not there.

    Judges are no people, and what is bad when it is true is no satisfaction. Raises
    LedgerUnavailable.
    """
    found: dict[str, float] = {}
    async with reading(database.relaxed) as connection:
        for begun in range(0, len(response_ids), _AT_ONCE):
            some = response_ids[begun : begun + _AT_ONCE]
            rows = await connection.execute(_SAID, {"responses": some})
            found |= {row.response_id: float(row.value) for row in rows}
    return found


_SAID: Final = (
    select(feedback.c.response_id, func.avg(feedback.c.value).label("value"))
    .where(
        feedback.c.response_id.in_(bindparam("responses", expanding=True)),
        feedback.c.value.is_not(None),
        feedback.c.name.not_in(sorted(FAULTS)),
        is_said_by_person(feedback.c.source),
    )
    .group_by(feedback.c.response_id)
)
