"""Where messages go that no worker can run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

from celery import Celery, signals
from celery.utils.log import get_logger
from kombu import Message

from shared.messages.dead_letter import Bury
from shared.queueing.dead_letters.letter import Letter, letter_about
from shared.queueing.reading.delivery import delivery_of

logger = get_logger(__name__)

PoisonHook = Callable[[Letter], Awaitable[None]]


class Attend(Protocol):
    """Runs an errand on the event loop; `then` hears whether it succeeded."""

    def __call__(
        self, errand: Callable[[], Awaitable[None]], *, then: Callable[[bool], None]
    ) -> None: ...


class Graveyard:
    """Hands poison to the application's hook, or to the broker's dead letter exchange.

    The hook is the application's attribute `on_poison`, a coroutine function that takes a Letter.
    It runs on the pool's event loop, so that no other message waits for it. Once it has returned,
    the message is acknowledged: the hook has become responsible for it.

    Without a hook the message is rejected: RabbitMQ passes it to the queue's dead letter exchange,
    Redis deletes it. When the hook raises, RabbitMQ does the same, and on Redis the message stays
    unacknowledged and is delivered again after the visibility timeout.
    """

    def __init__(self, app: Celery, *, attend: Attend) -> None:
        self._app = app
        self._attend = attend

    def bury(self, message: Message, verdict: Bury) -> None:
        """Get rid of a message for good. Never raises."""
        logger.error("Poison message buried: %s: %s", verdict.reason, verdict.detail)
        hook: PoisonHook | None = getattr(self._app, "on_poison", None)
        if hook is None:
            message.reject()
        else:
            queue = (message.delivery_info or {}).get("routing_key")
            letter = letter_about(
                delivery_of(message), verdict, queue=queue if isinstance(queue, str) else ""
            )
            self._attend(lambda: hook(letter), then=partial(self._conclude, message))
        signals.task_rejected.send(sender=self, message=message, exc=None)

    def _conclude(self, message: Message, told: bool) -> None:
        source: Any = message.channel
        if told:
            message.ack()
        elif source.has_dead_letters:
            message.reject()
