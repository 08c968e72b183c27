"""The stack on one bare machine."""

from __future__ import annotations

import msgspec

from shared.settings.units import Port, PositiveInt


class EmbeddedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`forebay up`: everything in one folder, on loopback."""

    folder: str = ".forebay"
    """Where its files live, relative to the folder it is started in."""
    redis_port: Port = 0
    """0 takes a free one."""
    flower_port: Port = 5555
    """0 takes a free one."""
    flower: bool = True
    """Whether Flower runs."""
    metrics: bool = True
    """Whether workers and the indexer tell their metrics, as the door does."""
    metrics_port: Port = 9101
    """The first worker's port for them; the next is the indexer's, and those after it are of other
    workers. 0 takes free ones; `worker.metrics_port` and `index.metrics_port` go first.
    """
    local_model: bool = True
    """Whether a small model on this machine answers before rules and people where no provider is
    configured; it must be installed.
    """
    workers: PositiveInt = 1
    """Worker processes."""
    indexer: bool = True
    """Whether an indexer runs."""
