"""Why a message is held and for how long, out of how its flow stands."""

from __future__ import annotations

from datetime import datetime

from shared.dispatch.flows import Flow, FlowsTold
from shared.messages.record import MessageRecord
from shared.messages.response import ResponseWait
from shared.messages.state import ResponseState

_NOBODY_LEADS = "No worker dispatches right now; the next that starts will."
_JUST_CAME = "It came a moment ago and has not been looked at."


def is_held(record: MessageRecord) -> bool:
    """Whether it waits for the dispatcher, and no worker hears of it."""
    is_queued = record.state is ResponseState.QUEUED
    return is_queued and record.held_at is not None and record.released_at is None


def wait_of(record: MessageRecord, told: FlowsTold | None, now: datetime) -> ResponseWait:
    """What is ahead of a held message in its own flow, estimated.

    By its age beside that of the oldest one: as though messages had come evenly, and go in the
    order in which they came.
    """
    if told is None or record.held_at is None:
        return ResponseWait(reason=_NOBODY_LEADS)
    figures = told.flows.get(Flow(record.lane, record.tenant_id))
    if figures is None:
        return ResponseWait(reason=_JUST_CAME)
    age_seconds = (now - record.held_at).total_seconds()
    ahead = 1.0 - age_seconds / figures.oldest_seconds if figures.oldest_seconds > 0 else 1.0
    ahead = min(max(ahead, 0.0), 1.0)
    eta = figures.eta_seconds
    return ResponseWait(
        reason=figures.reason,
        position_units=round(figures.backlog_units * ahead),
        share=round(figures.share, 4),
        eta_seconds=None if eta is None else round(eta * ahead, 1),
    )
