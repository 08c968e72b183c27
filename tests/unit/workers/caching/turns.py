"""Turns as they stand before the look into the cache."""

from __future__ import annotations

import json
from typing import Any

from shared.messages.item import Item, MessageItem, Role
from tests.queued_message import queued_message
from workers.turn import Turn, begin_turn


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
    asked = json.dumps({"input": question, "user": user, **body})
    record = queued_message(tenant_id=tenant, user_id=user, body=asked)
    turn = begin_turn(record)
    instructions = turn.body.instructions
    first = [MessageItem(Role.SYSTEM, instructions)] if instructions else []
    turn.items = [*first, *before, *turn.body.input]
    return turn
