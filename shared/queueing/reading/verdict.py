"""What a reader finds about an element that it cannot take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from shared.messages.dead_letter import DeadReason

MALFORMED_HEADER: Final = "x-forebay-malformed"
"""Stands alone on an element that could not be taken apart, and says why; its body is raw."""


_LONGEST_WHY: Final = 500


class Bury(msgspec.Struct, frozen=True):
    """The verdict that a delivery belongs among the dead letters, and why."""

    reason: DeadReason
    detail: str


def why_undecodable(what: str, error: Exception) -> str:
    """Why `what` of an element is not known: a sentence that fits a header, whatever the bytes."""
    why = f"{what} cannot be decoded: {type(error).__name__}: {error}"
    return why[:_LONGEST_WHY].encode(errors="replace").decode()


def malformed(headers: Mapping[str, object]) -> Bury | None:
    """The verdict on an element that could not be taken apart; None for all others."""
    why = headers.get(MALFORMED_HEADER)
    return Bury(DeadReason.MALFORMED, str(why)) if why else None
