"""Patience: what has the time is put back while no model is there to answer it."""

from __future__ import annotations

from contextlib import suppress

from shared.errors import LedgerUnavailable
from shared.persistence.ledger.claiming import ClaimGroup
from workers.leases import LeaseLost
from workers.providers.attempt import ModelsAwayError
from workers.steps.answer import AnswerStep
from workers.turn import Turn


class PatientAnswer:
    """Answers as the step that it is given; raises LeaseLost where the message waits again."""

    def __init__(self, answer: AnswerStep, claims: ClaimGroup) -> None:
        self.name = answer.name
        self._answer = answer
        self._claims = claims

    async def __call__(self, turn: Turn) -> None:
        try:
            await self._answer(turn)
        except ModelsAwayError:
            with suppress(LedgerUnavailable):  # the lease runs out by itself
                await self._claims.put_back(turn.record, units=turn.units_left())
            raise LeaseLost(turn.record.id) from None
