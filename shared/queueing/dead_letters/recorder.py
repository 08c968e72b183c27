"""From the queue `dead` into the ledger: one row for every message that will not be answered."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import msgspec

from shared.messages.dead_letter import Bury, DeadReason
from shared.queueing.dead_letters.letter import Letter, digest_id, letter_about, storable
from shared.queueing.dead_letters.sink import (
    DETAIL_HEADER,
    HEADERS_HEADER,
    LETTER_HEADER,
    MESSAGE_HEADER,
    QUEUE_HEADER,
    REASON_HEADER,
)
from shared.queueing.reading.bundle import deliveries_of
from shared.queueing.reading.delivery import Delivery, malformed
from shared.queueing.reading.patience import until_available
from shared.queueing.reading.reader import QueueReader
from shared.queueing.task_names import TaskName
from shared.queueing.topology import EXCHANGE, QueueName
from shared.settings.servers import BrokerSettings
from shared.telemetry.metrics import Metrics
from shared.telemetry.redaction import redact_text

FailMessage = Callable[[str, DeadReason, str], Awaitable[bool]]

_DEATHS: Final = "x-death"
_BROKER_REASONS: Final = {
    "delivery_limit": DeadReason.DELIVERY_LIMIT,
    "rejected": DeadReason.MALFORMED,
}
_LETTER_ID: Final = re.compile(r"dead_[0-9a-f]{32}")
_RESPONSE_ID: Final = re.compile(r"resp_[0-9A-Za-z_-]{1,59}")


class _Arguments(msgspec.Struct):
    message_id: str


_triple = msgspec.json.Decoder(tuple[list[Any], _Arguments, Any])


class DeadLetters(Protocol):
    """Where the rows go; shared.persistence has it."""

    async def add(
        self,
        letter_id: str,
        *,
        reason: DeadReason,
        detail: str,
        queue: str | None = None,
        message_id: str | None = None,
        headers: str | None = None,
        body: bytes | None = None,
    ) -> bool: ...


class DeadLetterRecorder:
    """Reads `dead` and acknowledges a message only after its row is committed.

    A wake-up that died takes its accepted message with it: `fail_message(id, reason, detail)` is
    called instead of writing a second row, and must bear repeats; it says whether it knows the
    message, and one that it does not know is a letter like any other.
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
        self._reader = QueueReader(QueueName.DEAD, broker, handle=self._keep, prefetch=16)

    async def start(self) -> None:
        """Starts to read; a broker or ledger that is away is waited for."""
        await self._reader.start()

    async def close(self) -> None:
        """Finishes what is in hand and stops."""
        await self._reader.close()

    async def _keep(self, delivery: Delivery) -> None:
        """Each task of a bundle has an end of its own."""
        for each in deliveries_of(delivery):
            await self._keep_one(each)

    async def _keep_one(self, delivery: Delivery) -> None:
        letter = letter_of(delivery)
        message_id = wake_up_id(delivery)
        if message_id is not None and await until_available(
            lambda: self._fail_message(message_id, letter.reason, letter.detail)
        ):
            return
        if await until_available(lambda: self._add(letter)):
            self._metrics.dead_letters.labels(letter.reason.value).inc()

    async def _add(self, letter: Letter) -> bool:
        return await self._letters.add(
            letter.id,
            reason=letter.reason,
            detail=redact_text(letter.detail),
            queue=letter.queue or None,
            message_id=letter.message_id or None,
            headers=letter.headers,
            body=letter.body,
        )


def letter_of(delivery: Delivery) -> Letter:
    """The letter that was buried, else one that tells what RabbitMQ's headers do."""
    headers = delivery.headers
    letter_id = headers.get(LETTER_HEADER)
    if not isinstance(letter_id, str) or not _LETTER_ID.fullmatch(letter_id):
        verdict, queue = _death(delivery)
        return letter_about(delivery, verdict, queue=queue)
    return Letter(
        # Of the body too: who names another letter's id does not take its place.
        id=digest_id(letter_id.encode(), delivery.body),
        reason=_reason(headers.get(REASON_HEADER)),
        detail=storable(headers.get(DETAIL_HEADER, "")),
        queue=storable(headers.get(QUEUE_HEADER, "")),
        message_id=storable(headers.get(MESSAGE_HEADER, "")),
        headers=storable(headers.get(HEADERS_HEADER, "{}")),
        body=delivery.body,
    )


def wake_up_id(delivery: Delivery) -> str | None:
    """The accepted message that a dead wake-up, by the looks of it one of ours, was for."""
    headers = delivery.headers
    found = headers.get("id")
    if headers.get("task") != TaskName.ANSWER or not isinstance(found, str):
        return None
    try:
        _, wake_up, _ = _triple.decode(delivery.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    is_ours = wake_up.message_id == found and _RESPONSE_ID.fullmatch(found)
    return found if is_ours else None


def _death(delivery: Delivery) -> tuple[Bury, str]:
    """Why a message died that nobody wrote a letter for, and in which queue."""
    headers = delivery.headers
    if unreadable := malformed(headers):
        return unreadable, QueueName.DEAD.value
    if deaths := headers.get(_DEATHS):
        return _death_by_broker(deaths)
    if delivery.exchange == EXCHANGE:
        return Bury(DeadReason.UNROUTABLE, "No queue takes its routing key."), ""
    verdict = Bury(DeadReason.MALFORMED, "It was put here without a reason.")
    return verdict, QueueName.DEAD.value


def _death_by_broker(deaths: Any) -> tuple[Bury, str]:
    # The newest comes first.
    newest = deaths[0] if isinstance(deaths, list) and isinstance(deaths[0], dict) else {}
    why, queue = str(newest.get("reason", "rejected")), str(newest.get("queue", ""))
    reason = _BROKER_REASONS.get(why, DeadReason.MALFORMED)
    return Bury(reason, f"RabbitMQ dead-lettered it from '{queue}': {why}."), queue


def _reason(value: object) -> DeadReason:
    try:
        return DeadReason(str(value))
    except ValueError:
        return DeadReason.MALFORMED
