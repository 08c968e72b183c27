"""One row of what is read of figures."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from shared.rollups.cubes import Dimension
from shared.rollups.histogram import Histogram

_NANOS: Final = Decimal(1_000_000_000)


class RollupRow(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one set of names, in one step of a series or in the whole span.

    A kind of figures that does not have one of the names that were asked for is 0: attempts have no
    state, and doors no model. Tokens and cost are those of attempts, failed ones too; where
    attempts do not have the names, they are those of the messages that ended, of their last claim.
    """

    dims: dict[Dimension, str]
    starts_at: datetime | None = None
    messages: int = 0
    """That have ended, in whatever state."""
    in_deadline: int = 0
    """Of these, completed or incomplete before their deadline."""
    wait: Histogram = Histogram()
    """From acceptance to the last claim."""
    latency: Histogram = Histogram()
    """From acceptance to the end."""
    attempts: int = 0
    errors: dict[str, int] = {}
    """Failed attempts by their class."""
    attempt_latency: Histogram = Histogram()
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost: Decimal = Decimal(0)
    """US dollars, as far as they are known."""
    unknown: int = 0
    """Attempts whose cost is not known."""
    estimated: int = 0
    """Attempts whose tokens no provider told."""
    saved: Decimal = Decimal(0)
    """What stored answers had cost when a provider gave them."""
    accepted: int = 0
    refused: dict[str, int] = {}
    """Requests that doors refused, by the reason."""


def dollars(nanos: int) -> Decimal:
    """From what is kept."""
    return Decimal(nanos) / _NANOS
