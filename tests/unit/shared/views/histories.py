"""Histories of messages, made at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from shared.persistence.message_history import BookedAttempt, MessageHistory
from shared.views.waterfall.stretch import Stretch
from shared.views.waterfall.waterfall import waterfall
from tests.queued_message import ACCEPTED_AT, queued_message


def at(seconds: float) -> datetime:
    return ACCEPTED_AT + timedelta(seconds=seconds)


def call(claim: int, ordinal: int, since: float, seconds: float, **fields: Any) -> BookedAttempt:
    usual = dict.fromkeys(BookedAttempt.__dataclass_fields__)
    named = {"claim": claim, "ordinal": ordinal, "provider": "primary", "model": "m"}
    times = {"started_at": at(since), "latency_seconds": seconds}
    return BookedAttempt(**(usual | named | times | fields))


def shown(attempts: list[BookedAttempt] | None = None, **fields: Any) -> list[Stretch]:
    person = {name: fields.pop(name, None) for name in ("handed_off_at", "answered_by_person_at")}
    waits = fields.pop("waits", [])
    history = MessageHistory(
        record=queued_message(**fields),
        tenant_name=None,
        lease_until=None,
        wakes=0,
        attempts=attempts or [],
        dead_letters=[],
        handoff_id=None,
        handoff_state=None,
        waits=waits,
        **person,
    )
    return waterfall(history)
