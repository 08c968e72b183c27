"""Answers for producers that wait at a queue of their own."""

from __future__ import annotations

import msgspec

from shared.messages.record import MessageRecord, ReplyShape
from shared.messages.response import response_object
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.queueing.answers.answer_publisher import AnswerPublisher
from shared.queueing.answers.answers import response_answer


class AnswerQueue:
    """Sends an ended message's response to the queue its producer named, and notes that it did."""

    def __init__(self, publisher: AnswerPublisher, ledger: MessageLedger) -> None:
        self._publisher = publisher
        self._ledger = ledger

    async def send(self, record: MessageRecord) -> None:
        """Where no queue was named, nothing; sending twice is harmless. Raises Unavailable."""
        if record.reply_to is None:
            return
        answer = response_answer(
            msgspec.json.encode(response_object(record)),
            reply_to=record.reply_to,
            correlation_id=record.reply_correlation or record.id,
            shape=record.reply_shape or ReplyShape.PLAIN,
        )
        await self._publisher.send(answer)
        await self._ledger.mark_replied(record.id)
