"""A message as the ledger has it before anybody has claimed it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.messages.lane import Lane
from shared.messages.record import MessageRecord

ACCEPTED_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)


def queued_message(**fields: Any) -> MessageRecord:
    """With these fields; it has a minute, unless its deadline is among them."""
    accepted_at = fields.setdefault("accepted_at", ACCEPTED_AT)
    usual = {
        "id": "resp_1",
        "tenant_id": "ten_1",
        "lane": Lane.STANDARD,
        "body": '{"input":"Hi"}',
        "deadline": accepted_at + timedelta(minutes=1),
    }
    return MessageRecord(**(usual | fields))
