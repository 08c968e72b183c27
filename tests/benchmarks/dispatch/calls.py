"""Calls of tenants, as a fleet in virtual time gets them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from shared.messages.lane import Lane
from workers.dispatch.flows.held_message import HeldMessage

UNITS_PER_SECOND = 100.0


@dataclass(frozen=True, slots=True)
class Call:
    """One message: what it will cost, and what somebody thought that it would."""

    tenant: str
    at: float
    seconds: float
    estimated_seconds: float
    lane: Lane = Lane.STANDARD
    deadline: float = 1e9
    key: str = ""
    units_per_second: float = UNITS_PER_SECOND

    @property
    def units(self) -> float:
        return self.seconds * self.units_per_second

    def message(self, name: str) -> HeldMessage:
        units = self.estimated_seconds * self.units_per_second
        return HeldMessage(name, self.lane, self.tenant, self.at, self.deadline, units)


def flood(
    number: int,
    seconds: float,
    *,
    said: float = 1.0,
    tenant: str = "flood",
    at: float = 0.0,
    spread: float = 0.5,
    lane: Lane = Lane.STANDARD,
    deadline: float = 1e9,
) -> list[Call]:
    """All at once; lengths around `seconds`, of which the estimate says `said` times as much."""
    random = Random(tenant)
    calls = []
    for _ in range(number):
        lasts = seconds * random.uniform(1 - spread, 1 + spread)
        calls.append(Call(tenant, at, lasts, lasts * said, lane, deadline))
    return calls


def steady(
    tenant: str,
    per_second: float,
    *,
    until: float,
    since: float = 0.0,
    seconds: float = 1.0,
    lane: Lane = Lane.STANDARD,
    deadline_after: float = 1e9,
) -> list[Call]:
    """At random times, of random length around `seconds`."""
    random, at, calls = Random(f"{tenant}{since}"), since, []
    while (at := at + random.expovariate(per_second)) < until:
        lasts = seconds * random.uniform(0.5, 1.5)
        calls.append(Call(tenant, at, lasts, lasts, lane, at + deadline_after))
    return calls
