"""What the ledger knows of responses that the door does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, select

from shared.evaluation.golden.answered import AnsweredCase, Sight
from shared.evaluation.judging.judge import Ask
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import attempt, message

_VALIDATOR: Final = re.compile(r"(?:^|; )([a-z_]+) \(")
"""As the guardrail's evidence names them."""


class LedgerSights:
    """Reads the ledger of the door that is asked; raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, response_id: str) -> Sight | None:
        """None where it is in another ledger."""
        named = {"id": response_id}
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(_MESSAGE, named)).one_or_none()
            attempts = (await connection.execute(_ATTEMPTS, named)).all() if row else []
        if row is None:
            return None
        took = row.finished_at - row.claimed_at if row.finished_at and row.claimed_at else None
        return Sight(
            seconds=None if took is None else took.total_seconds(),
            cost=_cost(attempts),
            caught=frozenset(_caught(each.detail for each in attempts)),
        )


class SeenAsker:
    """Asks, and tells what that cost by the ledger: also of what failed, or was never answered."""

    def __init__(self, ask: Ask, sights: LedgerSights) -> None:
        self._ask = ask
        self._sights = sights

    async def ask(self, body: dict[str, Any]) -> AnsweredCase:
        """Raises LedgerUnavailable, and what asking raises."""
        answered = await self._ask(body)
        if answered.response_id is None:
            return msgspec.structs.replace(answered, told_cost=Decimal(0))
        sight = await self._sights.of(answered.response_id)
        return msgspec.structs.replace(answered, sight=sight)


def _cost(attempts: Iterable[Any]) -> Decimal | None:
    """None where one of them has no known cost."""
    costs = [each.cost for each in attempts]
    return None if None in costs else sum(costs, Decimal(0))


def _caught(details: Iterable[str | None]) -> Iterable[str]:
    for detail in details:
        yield from _VALIDATOR.findall(detail or "")


_MESSAGE: Final = select(message.c.claimed_at, message.c.finished_at).where(
    message.c.id == bindparam("id")
)
_ATTEMPTS: Final = select(attempt.c.cost, attempt.c.detail).where(
    attempt.c.message_id == bindparam("id")
)
