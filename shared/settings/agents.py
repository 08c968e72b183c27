"""The workers: how many turns at once, for how long, and whose are next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from shared.settings.units import Port, Positive, PositiveInt

_Depth = Annotated[float, msgspec.Meta(ge=1.0, le=10.0)]
_Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class WorkerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One worker process: one event loop, many turns."""

    concurrency: PositiveInt = 500
    """Turns at once."""
    prefetch_multiplier: PositiveInt = 1
    """Messages reserved for each turn that may run."""
    soft_time_limit_seconds: Positive = 600.0
    """After this a turn is asked to end."""
    hard_time_limit_seconds: Positive = 660.0
    """After this a turn is cancelled."""
    soft_shutdown_seconds: Positive = 10.0
    """How long turns may go on when the worker is asked to stop; then they go back to the queue."""
    one_core: bool = True
    """With RabbitMQ: keep its threads on one core, whichever has room; less CPU a message."""
    metrics_host: str = "127.0.0.1"
    """The address at which it serves `/metrics`, without a key: keep it off the open network."""
    metrics_port: Port = 0
    """The port at which it serves `/metrics`; 0 is off."""
    stream_interval_seconds: Positive = 0.03
    """Text that arrives within this time is sent to the caller as one event."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        if self.soft_time_limit_seconds >= self.hard_time_limit_seconds:
            yield (
                "worker.soft_time_limit_seconds must be below worker.hard_time_limit_seconds "
                f"({self.hard_time_limit_seconds:g})."
            )


class DispatchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Messages that find no free slot are held and released by their tenants' turns."""

    enabled: bool = True
    """False: doors publish at once, and whoever comes first is answered first; what is held is
    released."""
    depth: _Depth = 1.5
    """Messages that are sent to workers, by their slots: more keeps slots from waiting, and lets
    whoever comes later wait for more."""
    waste_share: _Share = 0.05
    """Part of the batch messages' tokens of an hour that may be thrown away where their calls give
    way to others; 0: none gives way."""
