"""Stored answers and flights, as look_up.lua, store.lua and flight.lua keep them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from shared.answer_cache.flights import ALONE_SECONDS
from shared.answer_cache.stored_answer import FlightRole

_ALONE: Final = "-"


_NOTHING: Final[OrderedDict[str, tuple[float, str]]] = OrderedDict()


class StoredFinding(NamedTuple):
    """What is there for a question: an answer that was stored under `answer`, and its age, or a
    seat on the flight that will bring one."""

    role: FlightRole
    answer: str | None = None
    age: float = 0.0


class _Flight(NamedTuple):
    leader: str
    until: float


class AnswerStore:
    """Of all tenants. Answers are named, not kept.

    `ttl` and `lease` are seconds. The oldest of a tenant go first where there are more than
    `entries_per_tenant`; nothing is invalidated, for a day's record does not tell of it.
    """

    def __init__(self, *, ttl: float, entries_per_tenant: int, lease: float) -> None:
        self._ttl = ttl
        self._most = entries_per_tenant
        self._lease = lease
        self._entries: dict[str, OrderedDict[str, tuple[float, str]]] = {}
        self._flights: dict[tuple[str, str], _Flight] = {}

    def look_up(self, tenant: str, key: str, owner: str, now: float) -> StoredFinding:
        """An answer, or a role in the flight; an `owner` of '' takes no flight."""
        entry = self._entries.get(tenant, _NOTHING).get(key)
        if entry is not None and now - entry[0] < self._ttl:
            return StoredFinding(FlightRole.NONE, entry[1], now - entry[0])
        if not owner:
            return StoredFinding(FlightRole.NONE)
        flight = self._flight(tenant, key, now)
        if flight is None or flight.leader == owner:
            self._flights[tenant, key] = _Flight(owner, now + self._lease)
            return StoredFinding(FlightRole.LEADS)
        return StoredFinding(FlightRole.ALONE if flight.leader == _ALONE else FlightRole.FOLLOWS)

    def store(self, tenant: str, key: str, answer: str, now: float) -> None:
        """Keep an answer from now on."""
        entries = self._entries.setdefault(tenant, OrderedDict())
        entries[key] = now, answer
        entries.move_to_end(key)
        while entries and next(iter(entries.values()))[0] < now - self._ttl:
            entries.popitem(last=False)
        while len(entries) > self._most:
            entries.popitem(last=False)

    def renew(self, tenant: str, key: str, owner: str, now: float) -> bool:
        """Its leader still lives; False where it does not lead any more."""
        if not self._leads(tenant, key, owner, now):
            return False
        self._flights[tenant, key] = _Flight(owner, now + self._lease)
        return True

    def land(self, tenant: str, key: str, owner: str, now: float, *, brought: bool) -> bool:
        """The flight is over; where it brought nothing all fly alone for a while."""
        if not self._leads(tenant, key, owner, now):
            return False
        if brought:
            del self._flights[tenant, key]
        else:
            self._flights[tenant, key] = _Flight(_ALONE, now + ALONE_SECONDS)
        return True

    def _leads(self, tenant: str, key: str, owner: str, now: float) -> bool:
        flight = self._flight(tenant, key, now)
        return flight is not None and flight.leader == owner

    def _flight(self, tenant: str, key: str, now: float) -> _Flight | None:
        flight = self._flights.get((tenant, key))
        if flight is not None and flight.until <= now:
            del self._flights[tenant, key]
            return None
        return flight
