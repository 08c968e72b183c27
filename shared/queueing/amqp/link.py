"""A confirming channel: groups of messages go out, their confirms are counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from amqp.spec import Basic, Confirm

from shared.errors import BrokerUnavailable
from shared.queueing.amqp.confirms import ConfirmWindow
from shared.queueing.amqp.frames import HEADER, returned_correlation_id
from shared.queueing.amqp.session import CHANNEL, METHOD_BYTES, AmqpSession
from shared.queueing.backlog import Confirmation
from shared.queueing.broker_address import BrokerAddress

Progress = Callable[[Sequence[float]], None]


class AmqpLink(AmqpSession):
    """Writes groups of messages and counts their confirms; dead for good once it is `closed`.

    `on_progress` is called after every read and at the end, with the seconds that each group took
    whose last confirm has come.
    """

    def __init__(
        self, address: BrokerAddress, *, heartbeat_seconds: float, on_progress: Progress
    ) -> None:
        super().__init__(address, heartbeat_seconds=heartbeat_seconds)
        self.window = ConfirmWindow()
        self._on_progress = on_progress
        self._answers[Confirm.SelectOk] = lambda _: self.ready.set_result(None)
        self._answers[Basic.Ack] = lambda payload: self._settle(payload, refused=False)
        self._answers[Basic.Nack] = lambda payload: self._settle(payload, refused=True)

    def write(self, frames: bytes, messages: Sequence[Sequence[Confirmation | None]]) -> None:
        """Hands one group to the socket; of each message there is who waits for its parts."""
        self._send(frames)
        self.window.sent(messages, at=self._spoke_at)

    def watch_confirms(self, *, patience_seconds: float) -> None:
        """As `watch`, and ends a link whose broker has not confirmed for so long."""
        oldest = None if self.is_blocked else self.window.oldest_sent_at()
        if oldest is not None and time.monotonic() - oldest > patience_seconds:
            self.abort("The broker did not confirm in time.")
        else:
            self.watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._on_progress(self.window.completed(at=self._heard_at))

    def _on_channel_open(self) -> None:
        self._reply(CHANNEL, Confirm.Select, "b", False)

    def _on_content(self, kind: int, payload: bytes) -> None:
        if kind == HEADER:  # of a message that no queue took
            self.window.returned(returned_correlation_id(payload))

    def _settle(self, payload: bytes, *, refused: bool) -> None:
        tag = int.from_bytes(payload[METHOD_BYTES:12], "big")
        self.window.settle(tag, multiple=bool(payload[12] & 1), refused=refused)

    def _end(self, error: BrokerUnavailable) -> None:
        if not self.closed.done():
            super()._end(error)
            self._on_progress([])
