"""The workers: how many turns at once, and for how long."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from shared.settings.units import Port, Positive, PositiveInt


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
