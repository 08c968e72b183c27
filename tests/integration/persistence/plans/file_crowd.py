"""Contents with and without a name; files that stay, that will expire, and that have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Insert

from shared.files.stored_file import FilePurpose
from shared.files.tables import content, content_chunk, message_content, stored_file, tenant_storage


def files(rows: Callable[..., Insert], number: float, now: datetime) -> list[Insert]:
    """So many rows of each kind; `rows` makes the statement."""
    old, later = now - timedelta(days=1), now + timedelta(days=1)
    named: dict[str, Any] = {"id": "cont_n", "tenant_id": "ten_1", "bytes": 1, "digest": "digest"}
    unnamed = named | {"digest": None}
    file: dict[str, Any] = {
        "id": "file-",
        "tenant_id": "ten_1",
        "content_id": "cont_n",
        "filename": "a",
    }
    file |= {"purpose": FilePurpose.BATCH, "bytes": 1, "created_at": old}
    brief = file | {"id": "file-b", "content_id": "cont_n1"}
    chunk: dict[str, Any] = {"content_id": "cont_n1", "ordinal": 0, "body": b"x"}
    refers: dict[str, Any] = {"message_id": "resp_e", "content_id": "cont_n"}
    gone = refers | {"message_id": "resp_a", "content_id": "cont_n1"}
    return [
        rows(content, number, named, numbered=("id", "digest")),
        rows(content, number, unnamed | {"id": "cont_d", "removable_at": later}, numbered=("id",)),
        rows(content, number, unnamed | {"id": "cont_r", "removable_at": old}, numbered=("id",)),
        rows(content_chunk, number, chunk, numbered=("ordinal",)),
        rows(content_chunk, number, chunk | {"content_id": "cont_r1"}, numbered=("ordinal",)),
        rows(stored_file, number, file, numbered=("id", "content_id")),
        rows(message_content, number, refers, numbered=("message_id", "content_id")),
        rows(message_content, number / 20, gone, numbered=("message_id",)),
        rows(stored_file, number, brief | {"expires_at": later}, numbered=("id",)),
        rows(stored_file, number, brief | {"id": "file-a", "expires_at": old}, numbered=("id",)),
        rows(tenant_storage, number, {"tenant_id": "ten_", "bytes": 1}, numbered=("tenant_id",)),
    ]
