"""What the dispatcher asks of a ledger in which thousands of messages are held."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from sqlalchemy import Insert

from shared.batches.tables import IN_CANCELLING_BATCH
from shared.clock import Clock
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.flow_tables import charge, flow
from shared.persistence.ledger.held.flow_counters import FlowCounters
from shared.persistence.ledger.held.held_messages import HeldMessages
from shared.persistence.ledger.held.slot_counts import SlotCounts

FLOWS: Final = 6
_HEAD: Final = 16


class HeldCrowd(Protocol):
    """A filled database."""

    @property
    def database(self) -> Database: ...

    @property
    def clock(self) -> Clock: ...


HeldProbe = Callable[[HeldCrowd], Awaitable[object]]


def held(
    messages: Callable[..., Insert], rows: Callable[..., Insert], number: float, now: Any
) -> list[Insert]:
    """Held messages of some flows, and what these and others have used."""
    waiting = {"state": ResponseState.QUEUED, "lane": Lane.BATCH, "held_at": now, "wake_at": None}
    used = {"lane": Lane.BATCH, "charged_at": now}
    return [
        *(
            messages(f"resp_h{n}_", number / FLOWS, now, **waiting, tenant_id=f"ten_{n}")
            for n in range(FLOWS)
        ),
        rows(
            charge,
            number,
            used
            | {"message_id": "resp_h1_", "claim": 1, "ordinal": 0}
            | {"tenant_id": "ten_", "units": 10.0},
            numbered=("message_id", "tenant_id"),
        ),
        rows(flow, number, used | {"tenant_id": "ten_", "counter": 10.0}, numbered=("tenant_id",)),
    ]


def _messages(crowd: HeldCrowd) -> HeldMessages:
    return HeldMessages(
        crowd.database, crowd.clock, wake_after_seconds=15, unwanted=IN_CANCELLING_BATCH
    )


def _counters(crowd: HeldCrowd) -> FlowCounters:
    return FlowCounters(crowd.database, crowd.clock)


async def _following(crowd: HeldCrowd) -> object:
    rows = await _messages(crowd).heads(_HEAD)
    return await _messages(crowd).following(rows[-1], 100)


HELD_PROBES: Final[dict[str, HeldProbe]] = {
    "FlowCounters.fold": lambda crowd: _counters(crowd).fold(
        lambda keys: dict.fromkeys(keys, 1.0), {}, weight_of=lambda _: 1.0, limit=200
    ),
    "HeldMessages.heads": lambda crowd: _messages(crowd).heads(_HEAD),
    "HeldMessages.following": _following,
    "HeldMessages.arrived": lambda crowd: _messages(crowd).arrived(crowd.clock.now(), 500),
    "HeldMessages.models": lambda crowd: _messages(crowd).models(
        [f"resp_h2_{n}" for n in range(1, 33)]
    ),
    "HeldMessages.release": lambda crowd: _messages(crowd).release(
        [f"resp_h1_{n}" for n in range(1, 33)]
    ),
    "HeldMessages.note": lambda crowd: _messages(crowd).note({"resp_h1_1": "{}\n"}),
    "HeldMessages.give_back": lambda crowd: _messages(crowd).give_back("resp_r400", attempts=3),
    "SlotCounts.now": lambda crowd: SlotCounts(crowd.database, crowd.clock).now(),
    "SlotCounts.released": lambda crowd: SlotCounts(crowd.database, crowd.clock).released(100),
}

WHEN_TAKING_OVER: Final = {"HeldMessages": {"counted"}, "FlowCounters": {"all", "forget"}}
"""What is read whole, once, by whoever begins to lead."""
