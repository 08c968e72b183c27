"""Where a producer on the queue waits for its answer, and the answer as it goes there."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.messages.record import MessageRecord, ReplyShape
from shared.messages.response import response_object
from shared.queueing.answers.answers import QueuedAnswer, may_reply_to, response_answer
from shared.queueing.reading.delivery import Delivery
from shared.settings.servers import BrokerSettings

LONGEST_KEY: Final = 255
"""Characters of a key, and of a correlation id."""


class ReplyAddress(msgspec.Struct, frozen=True):
    """Where the producer waits for its answer."""

    queue: str
    correlation_id: str
    shape: ReplyShape


def reply_address(delivery: Delivery, broker: BrokerSettings) -> ReplyAddress | None:
    """Where to answer, for bad messages too; None where nobody waits or the queue is not theirs."""
    if not may_reply_to(delivery.reply_to, broker) or delivery.headers.get("ignore_result") is True:
        return None
    shape = ReplyShape.CELERY if "task" in delivery.headers else ReplyShape.PLAIN
    return ReplyAddress(delivery.reply_to, delivery.correlation_id[:LONGEST_KEY], shape)


def answer_of(record: MessageRecord, reply: ReplyAddress) -> QueuedAnswer:
    """The answer of a message that has ended, for whoever waits there."""
    return response_answer(
        msgspec.json.encode(response_object(record)),
        reply_to=reply.queue,
        correlation_id=reply.correlation_id,
        shape=reply.shape,
    )
