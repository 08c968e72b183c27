"""Turns as they stand before the look into the cache."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from shared.messages.item import Item, MessageItem, Role
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from workers.turn import Turn, begin_turn

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def asked(
    question: str = "What is a forebay?",
    /,
    *,
    tenant: str = "ten_1",
    user: str | None = None,
    before: tuple[Item, ...] = (),
    **body: Any,
) -> Turn:
    """A turn that has recalled its conversation."""
    record = MessageRecord(
        id="resp_1",
        tenant_id=tenant,
        user_id=user,
        lane=Lane.STANDARD,
        body=json.dumps({"input": question, "user": user, **body}),
        accepted_at=NOW,
        deadline=NOW,
    )
    turn = begin_turn(record)
    instructions = turn.body.instructions
    first = [MessageItem(Role.SYSTEM, instructions)] if instructions else []
    turn.items = [*first, *before, *turn.body.input]
    return turn
