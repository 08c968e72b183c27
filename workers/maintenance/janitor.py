"""The janitor: ends what nobody wants any more, sends what was not sent, forgets what is old."""

from __future__ import annotations

from shared.messages.dead_letter import DeadReason
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.telemetry.metrics import Metrics
from workers.answer_queue import AnswerQueue


class Janitor:
    """One round of each; raises Unavailable."""

    def __init__(self, sweeps: LedgerSweeps, answers: AnswerQueue, metrics: Metrics) -> None:
        self._sweeps = sweeps
        self._answers = answers
        self._metrics = metrics

    async def __call__(self) -> None:
        expired = await self._sweeps.expire_deadlines()
        if expired:
            self._metrics.dead_letters.labels(DeadReason.DEADLINE_PASSED).inc(len(expired))
        for record in await self._sweeps.unsent_answers():
            await self._answers.send(record)
        await self._sweeps.forget_old()
