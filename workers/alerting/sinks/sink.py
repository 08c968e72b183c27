"""What every place that is told of alerts can do."""

from __future__ import annotations

from typing import Protocol

from shared.alerts.telling.deliveries import SinkOutcome
from shared.alerts.telling.message import AlertMessage


class AlertSink(Protocol):
    """Takes one message at a time, within its own time limit."""

    async def send(self, message: AlertMessage, body: bytes) -> SinkOutcome:
        """Hand a message over, whose JSON is `body`; never raises but when it is cancelled."""
        ...
