"""The janitor: ends what nobody wants any more, sends what was not sent, forgets what is old."""

from __future__ import annotations

from typing import Final

from shared.conversations.sweeps import ConversationSweeps
from shared.erasing.retention import Retention
from shared.files.file_sweeps import FileSweeps
from shared.messages.dead_letter import DeadReason
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.telemetry.metrics import Metrics
from workers.answer_queue import AnswerQueue
from workers.steps.reply import Reply

_EXPIRED_AT_ONCE: Final = 500
_GROUPS_AT_ONCE: Final = 20
"""What a batch left has one deadline, tens of thousands of messages maybe."""


class Janitor:
    """One round of each; raises Unavailable."""

    def __init__(
        self,
        sweeps: LedgerSweeps,
        retention: Retention,
        conversations: ConversationSweeps,
        files: FileSweeps,
        answers: AnswerQueue,
        reply: Reply,
        metrics: Metrics,
    ) -> None:
        self._sweeps = sweeps
        self._retention = retention
        self._conversations = conversations
        self._files = files
        self._answers = answers
        self._reply = reply
        self._metrics = metrics

    async def __call__(self) -> None:
        for _ in range(_GROUPS_AT_ONCE):
            expired = await self._sweeps.expire_deadlines(_EXPIRED_AT_ONCE)
            for record in expired:
                self._metrics.dead_letters.labels(DeadReason.DEADLINE_PASSED).inc()
                await self._reply.tell(record)
            if len(expired) < _EXPIRED_AT_ONCE:
                break
        for record in await self._sweeps.unsent_answers():
            await self._answers.send(record)
        await self._retention.forget_old()
        await self._conversations.forget_old()
        await self._files.expire()
        await self._files.release()
        await self._files.remove()
