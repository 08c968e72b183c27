"""What a reader finds about an element that it cannot take."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.messages.dead_letter import DeadReason

MALFORMED_HEADER: Final = "x-forebay-malformed"
"""Stands alone on an element that could not be taken apart, and says why; its body is raw."""


class Bury(msgspec.Struct, frozen=True):
    """The verdict that a delivery belongs among the dead letters, and why."""

    reason: DeadReason
    detail: str
