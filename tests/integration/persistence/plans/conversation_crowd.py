"""Conversations that fill a ledger: of one item each, of thousands, deleted, and long forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Insert

from shared.conversations.tables import conversation, conversation_item


def conversations(rows: Callable[..., Insert], number: float, now: datetime) -> list[Insert]:
    """So many rows of each kind; `rows` makes the statement."""
    old = now - timedelta(days=60)
    made: dict[str, Any] = {"tenant_id": "ten_1", "created_at": old}
    deleted = {"created_at": old, "deleted_at": old}
    item: dict[str, Any] = {"tenant_id": "ten_1", "ordinal": 0, "id": "item_", "said_at": now}
    item |= {"item": '{"type":"message","role":"user","content":"Hi"}'}
    out = item | {"item": None, "ordinal": 1_000}
    mine = ("conversation_id",)
    return [
        rows(conversation, number, made | {"id": "conv_k"}, numbered=("id",)),
        rows(conversation, number, made | deleted | {"id": "conv_x"}, numbered=("id",)),
        rows(conversation_item, number, item | {"conversation_id": "conv_resp_e"}, numbered=mine),
        rows(conversation_item, number, item | {"conversation_id": "conv_k1"}, numbered=("id",)),
        *(
            rows(
                conversation_item,
                number,
                each | {"conversation_id": name, "said_at": old},
                numbered=mine,
            )
            for name, each in (("conv_o", item), ("conv_p", out))
        ),
    ]
