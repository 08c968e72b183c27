"""What travels over the broker: an id, never a prompt."""

from __future__ import annotations

from datetime import datetime

import msgspec

from shared.messages.lane import Lane


class WakeUp(msgspec.Struct, frozen=True):
    """Tells a worker that the ledger has a message to claim. Lost or repeated, it does no harm."""

    message_id: str
    lane: Lane
    deadline: datetime
    trace: dict[str, str] = {}
