"""Answers for producers that wait at a queue of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from shared.messages.record import MessageRecord, ReplyShape
from shared.messages.response import response_object
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.queueing.answers.answer_publisher import AnswerPublisher, build_answer_publisher
from shared.queueing.answers.answers import response_answer
from shared.settings.servers import BrokerSettings


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


@asynccontextmanager
async def open_answer_queue(
    broker: BrokerSettings, ledger: MessageLedger
) -> AsyncIterator[AnswerQueue]:
    """Sends while the context is open."""
    publisher = build_answer_publisher(broker)
    await publisher.start()
    try:
        yield AnswerQueue(publisher, ledger)
    finally:
        await publisher.close()
