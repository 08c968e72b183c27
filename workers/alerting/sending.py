"""The round that sends: what is due goes to its sinks, each at its own pace."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from shared.alerts.telling.deliveries import AlertDeliveries, ClaimedMessage, SinkOutcome
from shared.errors import Unavailable
from shared.resilience.kept_running import end_tasks
from shared.telemetry.logs import get_logger
from shared.webhooks.tables import DeliveryState
from workers.alerting.sinks.sink import AlertSink

_AT_ONCE: Final = 8
_REMOVED: Final = "The settings have no sink of this name any more."


class AlertSending:
    """One round has each sink that waits served beside it.

    A sink that hangs or refuses delays its own messages and nobody else's. What a process that
    dies had claimed is due again once its claim is over: a sink may be told twice, under the same
    id, and is told in the end. Raises LedgerUnavailable.
    """

    def __init__(
        self,
        deliveries: AlertDeliveries,
        sinks: Mapping[str, AlertSink],
        *,
        claim_seconds: float,
    ) -> None:
        self._deliveries = deliveries
        self._sinks = sinks
        self._claim_seconds = claim_seconds
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._log = get_logger(__name__)

    async def __call__(self) -> None:
        for name in await self._deliveries.waiting():
            if name not in self._serving:
                self._serve(name)

    def _serve(self, name: str) -> None:
        task = asyncio.create_task(self._drain(name))
        self._serving[name] = task
        task.add_done_callback(lambda _: self._serving.pop(name, None))

    async def served(self) -> None:
        """Return once no sink is being served any more."""
        while self._serving:
            await asyncio.wait(self._serving.values())

    async def close(self) -> None:
        """Stop at once; what was claimed and not ended is tried again by whoever comes next."""
        await end_tasks(*self._serving.values())

    async def _drain(self, name: str) -> None:
        """All that is due there, a group after the other."""
        try:
            while claimed := await self._deliveries.claim(
                name, claim_seconds=self._claim_seconds, limit=_AT_ONCE
            ):
                await asyncio.gather(*(self._send(name, each) for each in claimed))
        except Unavailable as error:
            self._log.warning("alerts_not_noted", sink=name, code=error.code)
        except Exception:  # noqa: BLE001 - a fault of one sink is no other's
            self._log.exception("alerts_failed", sink=name)

    async def _send(self, name: str, claimed: ClaimedMessage) -> None:
        sink = self._sinks.get(name)
        if sink is None:
            state = await self._deliveries.give_up(claimed, _REMOVED)
            outcome = SinkOutcome(error=_REMOVED)
        else:
            outcome = await sink.send(claimed.message, claimed.body)
            state = await self._deliveries.finish(claimed, outcome)
        told = {"sink": name, "message": claimed.message.id, "tries": claimed.ordinal}
        if outcome.error is None:
            if outcome.remark is not None:
                self._log.warning("alert_delivered_in_part", **told, reason=outcome.remark)
        elif state is DeliveryState.FAILED:
            self._log.error("alert_given_up", **told, reason=outcome.error)
        else:
            self._log.warning("alert_not_delivered", **told, reason=outcome.error)
