"""A message that was never accepted: back onto the queue that it came over."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from shared.errors import BrokerUnavailable
from shared.persistence.dead_letters import DeadLetter
from shared.queueing.broker_connection import connect_broker
from shared.queueing.reading.delivery import COMPRESSION_HEADER
from shared.queueing.topology import QueueName, kombu_queue
from shared.settings.servers import BrokerSettings

# What makes it a Celery task to the reader, and what its body is packed in; the rest belongs to its
# first journey.
_KEPT_HEADERS: Final = frozenset(
    {"task", "id", "lang", "argsrepr", "kwargsrepr", COMPRESSION_HEADER}
)


def put_on_intake(letter: DeadLetter, body: bytes, broker: BrokerSettings, *, key: str) -> None:
    """Returns when the broker has it; raises BrokerUnavailable.

    The letter's id becomes the message's, so that putting it there twice is accepted once.
    """
    queue = kombu_queue(QueueName.INTAKE, broker)
    connection = connect_broker(broker)
    try:
        connection.ensure_connection(max_retries=1, timeout=5)
        connection.Producer().publish(
            body,
            exchange=queue.exchange,
            routing_key=queue.routing_key,
            headers={**_headers(letter), "authorization": f"Bearer {key}"},
            content_type="application/json",
            content_encoding="utf-8",
            message_id=letter.id,
            delivery_mode=2,
        )
    except (*connection.connection_errors, *connection.channel_errors) as error:
        raise BrokerUnavailable(
            f"The broker at {broker.url.redacted} does not answer: start it and try again."
        ) from error
    finally:
        connection.release()


def _headers(letter: DeadLetter) -> dict[str, Any]:
    headers = msgspec.json.decode(letter.headers or "{}", type=dict[str, Any])
    return {name: value for name, value in headers.items() if name in _KEPT_HEADERS}
