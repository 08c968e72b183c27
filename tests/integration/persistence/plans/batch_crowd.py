"""Batches that have ended and some that have not, one of them large."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Insert

from shared.batches.state import BatchEndpoint, BatchState, BatchSurface
from shared.batches.tables import batch, batch_item


def batches(rows: Callable[..., Insert], number: float, now: datetime) -> list[Insert]:
    """So many rows of each kind; `rows` makes the statement."""
    kept: dict[str, Any] = {
        "id": "batch_e",
        "tenant_id": "ten_1",
        "surface": BatchSurface.OPENAI,
        "endpoint": BatchEndpoint.RESPONSES,
        "content_id": "cont_n1",
        "input_bytes": 1,
        "window_seconds": 60,
        "digest": "digest",
        "state": BatchState.COMPLETED,
        "created_at": now - timedelta(days=2),
        "expires_at": now - timedelta(days=1),
        "cursor_bytes": 0,
        "cursor_line": 0,
    }
    later = {"expires_at": now + timedelta(days=1), "created_at": now}
    opened = kept | later | {"id": "batch_o", "state": BatchState.IN_PROGRESS, "total": 9_000}
    line: dict[str, Any] = {"custom_id": "c", "line": 0}
    answered = line | {"batch_id": "batch_o1", "message_id": "resp_e"}
    waiting = line | {"batch_id": "batch_o2", "message_id": "resp_q"}
    ended = line | {"batch_id": "batch_e1", "message_id": "resp_f"}
    return [
        rows(batch, number, kept, numbered=("id", "digest")),
        rows(batch, number / 20, opened, numbered=("id", "digest")),
        *(
            rows(batch_item, number, each, numbered=("line", "message_id"))
            for each in (answered, waiting, ended)
        ),
    ]
