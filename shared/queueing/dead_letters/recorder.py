"""From the queue `dead` into the ledger: one row for every message that will not be answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import msgspec

from shared.messages.dead_letter import DeadReason
from shared.queueing.dead_letters.sink import (
    DETAIL_HEADER,
    QUEUE_HEADER,
    REASON_HEADER,
    DeadLetterSink,
)
from shared.queueing.reading.delivery import Delivery
from shared.queueing.reading.patience import until_available
from shared.queueing.reading.reader import QueueReader
from shared.queueing.redis_lists.transport import MALFORMED_HEADER
from shared.queueing.task_names import TaskName
from shared.queueing.topology import DEAD_EXCHANGE, QueueName
from shared.settings.servers import BrokerSettings
from shared.telemetry.metrics import Metrics
from shared.telemetry.redaction import redact_fields, redact_text

FailMessage = Callable[[str, DeadReason, str], Awaitable[object]]

_DEATHS: Final = "x-death"
_BROKER_REASONS: Final = {
    "delivery_limit": DeadReason.DELIVERY_LIMIT,
    "rejected": DeadReason.MALFORMED,
}
_QUEUE_LIMIT: Final = 128
_ID_LIMIT: Final = 64
_OWN_HEADERS: Final = frozenset({REASON_HEADER, DETAIL_HEADER, QUEUE_HEADER})


class DeadLetters(Protocol):
    """Where the rows go; shared.persistence has it."""

    async def add(
        self,
        *,
        reason: DeadReason,
        detail: str,
        queue: str | None = None,
        message_id: str | None = None,
        headers: str | None = None,
        body: bytes | None = None,
    ) -> str: ...


class Death(msgspec.Struct, frozen=True):
    """Why a message died, and in which queue."""

    reason: DeadReason
    detail: str
    queue: str


class DeadLetterRecorder:
    """Reads `dead` and acknowledges a message only after its row is committed.

    A wake-up that died takes its accepted message with it: `fail_message(id, reason, detail)` is
    called instead of writing a second row, and must bear repeats.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        letters: DeadLetters,
        *,
        fail_message: FailMessage,
        metrics: Metrics,
    ) -> None:
        self._letters = letters
        self._fail_message = fail_message
        self._metrics = metrics
        self._reader = QueueReader(
            QueueName.DEAD,
            broker,
            handle=self._keep,
            sink=DeadLetterSink(broker),
            prefetch=16,
        )

    async def start(self) -> None:
        """Starts to read; a broker or ledger that is away is waited for."""
        await self._reader.start()

    async def close(self) -> None:
        """Finishes what is in hand and stops."""
        await self._reader.close()

    async def _keep(self, delivery: Delivery) -> None:
        death = death_of(delivery)
        message_id = wake_up_id(delivery)
        if message_id is not None:
            await until_available(
                lambda: self._fail_message(message_id, death.reason, death.detail)
            )
            return
        headers = {k: v for k, v in delivery.headers.items() if k not in _OWN_HEADERS}
        await until_available(
            lambda: self._letters.add(
                reason=death.reason,
                detail=redact_text(death.detail),
                queue=death.queue[:_QUEUE_LIMIT] or None,
                message_id=storable(delivery.own_id)[:_ID_LIMIT] or None,
                headers=msgspec.json.encode(redact_fields(headers)).decode(),
                body=delivery.body,
            )
        )
        self._metrics.dead_letters.labels(death.reason.value).inc()


def death_of(delivery: Delivery) -> Death:
    """The reason that was written on it, else what RabbitMQ's headers tell."""
    headers = delivery.headers
    if REASON_HEADER in headers:
        return Death(
            _reason(headers[REASON_HEADER]),
            storable(headers.get(DETAIL_HEADER, "")),
            storable(headers.get(QUEUE_HEADER, "")),
        )
    if MALFORMED_HEADER in headers:
        return Death(
            DeadReason.MALFORMED, storable(headers[MALFORMED_HEADER]), QueueName.DEAD.value
        )
    if deaths := headers.get(_DEATHS):
        return _death_by_broker(deaths)
    if delivery.exchange != DEAD_EXCHANGE:
        return Death(DeadReason.UNROUTABLE, "No queue takes its routing key.", "")
    return Death(DeadReason.MALFORMED, "It was put here without a reason.", QueueName.DEAD.value)


def wake_up_id(delivery: Delivery) -> str | None:
    """The accepted message that a dead wake-up of ours was for."""
    headers = delivery.headers
    is_ours = headers.get("task") == TaskName.ANSWER and headers.get("kwargsrepr") == "{...}"
    found = headers.get("id")
    return found if is_ours and isinstance(found, str) and found else None


def _death_by_broker(deaths: Any) -> Death:
    # The newest comes first.
    newest = deaths[0] if isinstance(deaths, list) and isinstance(deaths[0], dict) else {}
    why, queue = str(newest.get("reason", "rejected")), str(newest.get("queue", ""))
    reason = _BROKER_REASONS.get(why, DeadReason.MALFORMED)
    return Death(reason, f"RabbitMQ dead-lettered it from '{queue}': {why}.", queue)


def _reason(value: object) -> DeadReason:
    try:
        return DeadReason(str(value))
    except ValueError:
        return DeadReason.MALFORMED


def storable(value: object) -> str:
    """As text that a database takes: no NUL, no lone surrogates."""
    return str(value).replace("\0", "").encode(errors="replace").decode()
