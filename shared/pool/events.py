"""Task events for Flower and `celery events`: collected on the event loop, sent by the hub."""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from typing import Any, Final, Protocol

import msgspec
from celery import Celery
from celery.events import EventDispatcher
from celery.utils.log import get_logger
from celery.utils.time import utcoffset

from shared.pool.mailbox import HubMailbox

logger = get_logger(__name__)

EVENTS_SECONDS: Final = 0.1
"""How long an event may wait for others to travel with."""
MOST_UNSENT: Final = 1000
"""Lists that are kept while the broker is away."""

_encoder: Final = msgspec.json.Encoder(enc_hook=repr)


class Dispatching(Protocol):
    """Celery's consumer, whose dispatcher is another after each reconnection."""

    event_dispatcher: EventDispatcher | None


class TaskEvents:
    """What requests hold for Celery's dispatcher, which belongs to the hub.

    Celery sends the events of each turn of its hub by themselves, and publishing three times a
    task costs as much as running it. Here they travel in lists, as Celery's own buffer sends them.
    """

    def __init__(
        self,
        app: Celery,
        *,
        hostname: str,
        consumer: Dispatching,
        letters: HubMailbox,
    ) -> None:
        self._clock: Any = app.clock  # type: ignore[attr-defined]  # the stubs leave it out
        self._about = {"hostname": hostname, "pid": os.getpid()}
        self._consumer = consumer
        self._letters = letters
        self._collected: list[dict[str, Any]] = []
        self._unsent: list[list[dict[str, Any]]] = []

    @property
    def enabled(self) -> bool:
        """Whether anybody may want them; remote control can change it."""
        dispatcher = self._consumer.event_dispatcher
        if dispatcher is None or not dispatcher.enabled:
            return False
        return not dispatcher.groups or "task" in dispatcher.groups

    def send(self, kind: str, **fields: Any) -> None:
        """Collect one, in Celery's form. For the event loop."""
        if not self._collected:
            asyncio.get_running_loop().call_later(EVENTS_SECONDS, self._hand_over)
        fields |= self._about
        fields["type"], fields["timestamp"] = kind, time.time()
        fields["clock"] = self._clock.forward()
        self._collected.append(fields)

    def flush(self) -> None:
        """Send what there is now. For the hub, when it ends."""
        collected, self._collected = self._collected, []
        self._send(collected)

    def _hand_over(self) -> None:
        collected, self._collected = self._collected, []
        if collected:
            self._letters.put(partial(self._send, collected))

    def _send(self, collected: list[dict[str, Any]]) -> None:
        if collected:
            offset = utcoffset()
            for event in collected:
                event["utcoffset"] = offset
            self._unsent.append(collected)
        dispatcher = self._consumer.event_dispatcher
        if dispatcher is None or not dispatcher.enabled:
            del self._unsent[:-MOST_UNSENT]
            return
        while self._unsent:
            try:
                _publish(dispatcher, self._unsent[0])
            except Exception:
                logger.info("Task events wait for the broker.", exc_info=True)
                del self._unsent[:-MOST_UNSENT]
                return
            del self._unsent[0]


def _publish(dispatcher: Any, events: list[dict[str, Any]]) -> None:
    """As the dispatcher publishes its own lists, encoded at a tenth of the cost."""
    exchange = dispatcher.exchange
    with dispatcher.mutex:
        if dispatcher.producer is not None:
            dispatcher.producer.publish(
                _encoder.encode(events),
                routing_key="task.multi",
                exchange=exchange.name,
                declare=[exchange],
                content_type="application/json",
                content_encoding="utf-8",
                headers=dispatcher.headers,
                delivery_mode=dispatcher.delivery_mode,
                retry=False,
            )
