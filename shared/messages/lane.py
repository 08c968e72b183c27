"""Lanes: how soon an answer is wanted."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from shared.errors import InvalidRequest, use_one_of


class Lane(StrEnum):
    """A queue of its own for each kind of patience."""

    INTERACTIVE = "interactive"
    STANDARD = "standard"
    BATCH = "batch"


_LANE_OF_TIER: Final[dict[str, Lane]] = {
    "priority": Lane.INTERACTIVE,
    "auto": Lane.STANDARD,
    "default": Lane.STANDARD,
    "flex": Lane.BATCH,
}
TIER_OF_LANE: Final[dict[Lane, str]] = {
    Lane.INTERACTIVE: "priority",
    Lane.STANDARD: "default",
    Lane.BATCH: "flex",
}


def lane_of(service_tier: str | None) -> Lane:
    """The lane of an OpenAI `service_tier`; raises InvalidRequest for a tier we do not have."""
    if service_tier is None:
        return Lane.STANDARD
    lane = _LANE_OF_TIER.get(service_tier)
    if lane is None:
        raise InvalidRequest(
            f"Invalid value for 'service_tier': '{service_tier}'. {use_one_of(_LANE_OF_TIER)}.",
            param="service_tier",
        )
    return lane


class WakeUp(msgspec.Struct, frozen=True):
    """What waits in a lane's queue, an id and never a prompt: the ledger has a message to claim.

    Lost or repeated, it does no harm.
    """

    message_id: str
    lane: Lane
    deadline: datetime
    trace: dict[str, str] = {}
