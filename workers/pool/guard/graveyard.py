"""Where messages go that no worker can run."""

from __future__ import annotations

from collections.abc import Callable

from celery import Celery, signals
from celery.utils.log import get_logger
from kombu import Message

from shared.messages.dead_letter import DeadReason
from workers.pool.guard.poison import Poison

logger = get_logger(__name__)

PoisonHook = Callable[[bytes, dict[str, object], str], None]

#: The headers that the hook finds a sentence and the queue's routing key in.
DETAIL_HEADER = "forebay-poison"
ORIGIN_HEADER = "forebay-poison-from"


class Graveyard:
    """Hands poison to the application's hook, or to the broker's dead letter exchange.

    The hook is the application's attribute `on_poison`: a synchronous callable `(body: bytes,
    headers: dict, reason: str)`. It runs in the thread that owns the broker connection and must be
    quick. `reason` is a DeadReason; the header `forebay-poison` says more in a sentence, and
    `forebay-poison-from` where it came from. Once the hook has returned, the message is
    acknowledged: the hook has become responsible for it.

    Without a hook the message is rejected: RabbitMQ passes it to the queue's dead letter exchange,
    Redis deletes it. When the hook raises, RabbitMQ does the same, and on Redis the message stays
    unacknowledged and is delivered again after the visibility timeout.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app

    def bury(self, message: Message, poison: Poison) -> None:
        """Get rid of a message for good. Never raises."""
        logger.error("Poison message buried: %s: %s", poison.reason, poison.detail)
        found: object = message.headers
        headers: dict[str, object] = dict(found) if isinstance(found, dict) else {}
        headers[ORIGIN_HEADER] = (message.delivery_info or {}).get("routing_key") or ""
        try:
            self._bury(message, headers, poison)
        except Exception:
            # The border of one message; at worst the broker delivers it again.
            logger.exception("Could not bury a message")
        signals.task_rejected.send(sender=self, message=message, exc=None)

    def bury_raw(self, item: bytes, detail: str) -> None:
        """Bury a Redis list item that is no message; the list has lost it already."""
        logger.error("Poison list item buried: %s", detail)
        try:
            if not self._told(item, {}, Poison(DeadReason.MALFORMED, detail)):
                logger.error("Nobody keeps it; it began with %.200r", item)
        except Exception:
            logger.exception("Could not bury a list item; it began with %.200r", item)

    def _bury(self, message: Message, headers: dict[str, object], poison: Poison) -> None:
        try:
            told = self._told(_bytes_of(message), headers, poison)
        except Exception:
            logger.exception("The poison hook failed")
            if _is_redis(message):
                return
            told = False
        if told:
            message.ack()
        else:
            message.reject()

    def _told(self, body: bytes, headers: dict[str, object], poison: Poison) -> bool:
        hook: PoisonHook | None = getattr(self._app, "on_poison", None)
        if hook is None:
            return False
        hook(body, {**headers, DETAIL_HEADER: poison.detail}, poison.reason.value)
        return True


def _bytes_of(message: Message) -> bytes:
    body: object = message.body
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else b""


def _is_redis(message: Message) -> bool:
    client = getattr(message.channel, "connection", None)
    return getattr(client, "driver_type", None) == "redis"
