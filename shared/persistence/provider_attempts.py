"""How the calls of each provider ended, for a person who asks which of them fails and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select

from shared.identifiers import RESPONSE, first_id
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import attempt

_ABOUT: Final = (attempt.c.provider, attempt.c.deployment, attempt.c.model)
_About = tuple[str, str | None, str]


@dataclass(slots=True, kw_only=True)
class ProviderAttempts:
    """The booked attempts of one model of one provider, or of one of its deployments."""

    provider: str
    model: str
    deployment: str | None = None
    attempts: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    """How many ended in each class of error; the others were taken."""
    last_error_class: str | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None


async def read_provider_attempts(database: Database, *, since: datetime) -> list[ProviderAttempts]:
    """Those for messages that were accepted since then. Raises LedgerUnavailable.

    Ids sort by time, so that only these are read.
    """
    lately = attempt.c.message_id >= first_id(RESPONSE, since)
    counts = (
        select(*_ABOUT, attempt.c.error_class, func.count().label("calls"))
        .where(lately)
        .group_by(*_ABOUT, attempt.c.error_class)
    )
    newest_first = func.row_number().over(partition_by=_ABOUT, order_by=attempt.c.started_at.desc())
    failed = (
        select(
            *_ABOUT,
            attempt.c.error_class,
            attempt.c.detail,
            attempt.c.started_at,
            newest_first.label("place"),
        )
        .where(lately, attempt.c.error_class.is_not(None))
        .subquery()
    )
    found: dict[_About, ProviderAttempts] = {}
    async with reading(database.relaxed) as connection:
        for row in await connection.execute(counts):
            _count(found, row)
        for row in await connection.execute(select(failed).where(failed.c.place == 1)):
            last = found[row.provider, row.deployment, row.model]
            last.last_error_class, last.last_error = row.error_class, row.detail
            last.last_error_at = row.started_at
    return list(found.values())


def _count(found: dict[_About, ProviderAttempts], row: Any) -> None:
    new = ProviderAttempts(provider=row.provider, model=row.model, deployment=row.deployment)
    counted = found.setdefault((row.provider, row.deployment, row.model), new)
    counted.attempts += row.calls
    if row.error_class is not None:
        counted.classes[row.error_class] = row.calls
