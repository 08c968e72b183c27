"""What workers tell over the broker while they work."""

from __future__ import annotations

import threading
from typing import Any

from celery.events import EventReceiver

from shared.queueing.celery_app import build_celery_app
from tests.integration.workers.stack import Stack

ENDS = ("succeeded", "failed", "retried", "rejected")


class WorkerEvents:
    """Hears how tasks end, as Flower does, from the moment it is entered."""

    def __init__(self, stack: Stack) -> None:
        self._app = build_celery_app(stack.settings, name="watcher")
        self._ends: list[str] = []
        self._hears = threading.Event()
        self._ended = threading.Condition()
        self._receiver: EventReceiver | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def ends(self, count: int, *, seconds: float = 60) -> list[str]:
        """All that were heard, as soon as there are that many or the time is over."""
        with self._ended:
            self._ended.wait_for(lambda: len(self._ends) >= count, seconds)
            return list(self._ends)

    def __enter__(self) -> WorkerEvents:
        self._thread.start()
        with self._app.events.default_dispatcher() as dispatcher:
            for _ in range(1_000):  # a subscription to Redis says nowhere when it is in force
                dispatcher.send("probe")
                if self._hears.wait(0.02):
                    return self
        raise AssertionError("no event was heard")

    def __exit__(self, *_: object) -> None:
        if self._receiver is not None:
            self._receiver.should_stop = True
        self._thread.join(60)

    def _listen(self) -> None:
        handlers = {f"task-{end}": self._note for end in ENDS}
        handlers["probe"] = lambda _: self._hears.set()
        with self._app.connection_for_read() as connection:
            self._receiver = EventReceiver(connection, handlers=handlers, app=self._app)
            self._receiver.capture(limit=None, timeout=None, wakeup=False)

    def _note(self, event: dict[str, Any]) -> None:
        with self._ended:
            self._ends.append(event["type"])
            self._ended.notify_all()
