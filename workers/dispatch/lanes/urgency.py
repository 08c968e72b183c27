"""From when on a message of a lane without a share counts as one of a lane that has one."""

from __future__ import annotations

from typing import Final

from workers.dispatch.flows.held_message import HeldMessage

MARGIN_SECONDS: Final = 30.0
_MINUTE: Final = 60.0
_RAMP_EXPONENT: Final = 0.56
"""59 minutes before the end of a day, ten before the end of an hour."""


def is_urgent(message: HeldMessage, now: float, *, service_p95: float | None, wait: float) -> bool:
    """Whether it must be served as soon as its tenant's share allows to make its deadline.

    `service_p95` and `wait` are seconds: how long a call of its lane lasts, None where nobody
    knows, and how long its tenant's flow would take to be served.
    """
    if service_p95 is None:
        lead = usual_lead_seconds(message.deadline - message.accepted_at)
    else:
        lead = service_p95 + MARGIN_SECONDS
    return now >= message.deadline - lead - wait


def usual_lead_seconds(window_seconds: float) -> float:
    """How long before its deadline a message is urgent that was given so long, where nobody knows
    how long calls take."""
    minutes = max(0.0, window_seconds) / _MINUTE
    lead: float = minutes**_RAMP_EXPONENT * _MINUTE
    return lead
