"""What workers tell over the broker while they work."""

from __future__ import annotations

import threading

from celery.events import EventReceiver

from shared.queueing.celery_app import build_celery_app
from tests.integration.workers.stack import Stack


class WorkerEvents:
    """Hears what workers tell, as Flower does."""

    def __init__(self, stack: Stack) -> None:
        self.seen = threading.Event()
        self._app = build_celery_app(stack.settings, name="watcher")
        self._receiver: EventReceiver | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> WorkerEvents:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._receiver is not None:
            self._receiver.should_stop = True
        self._thread.join(20)

    def _listen(self) -> None:
        with self._app.connection_for_read() as connection:
            self._receiver = EventReceiver(
                connection, handlers={"task-succeeded": lambda _: self.seen.set()}, app=self._app
            )
            self._receiver.capture(limit=None, timeout=None, wakeup=False)
