"""When a provider is left alone, and how it is found to be back."""

from __future__ import annotations

from typing import Annotated

import msgspec

from shared.settings.units import Positive, PositiveInt

FailureShare = Annotated[float, msgspec.Meta(gt=0, le=1)]


class BreakerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One circuit breaker for each provider and model, shared by all workers."""

    window_seconds: Annotated[float, msgspec.Meta(ge=0.1)] = 30.0
    """How far back calls are counted."""
    failure_share: FailureShare = 0.5
    """The share of failed calls in the window that opens a breaker."""
    minimum_calls: PositiveInt = 10
    """Calls in the window below which their share says nothing."""
    failures_in_a_row: PositiveInt = 5
    """Failures without a success between them that open a breaker, however few calls there are."""
    open_seconds: Positive = 30.0
    """How long nobody calls a provider whose breaker opened."""
    probes: PositiveInt = 1
    """Calls under way at once, in the whole fleet, that find out whether it is back."""
    probe_lease_seconds: Annotated[float, msgspec.Meta(ge=2.0)] = 10.0
    """After so long a silence of its worker a probe's place is given to another."""
    successes_to_close: PositiveInt = 2
    """Probes that must succeed before everybody may call again."""
    refresh_seconds: Annotated[float, msgspec.Meta(gt=0, le=1.0)] = 0.5
    """How often a worker tells Redis of its calls and hears how the breakers stand."""
