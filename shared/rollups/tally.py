"""Adding up: what deltas hold, as sums by cube, resolution, time and names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from shared.identifiers import PROVIDER_BATCH
from shared.rollups.cubes import ATTEMPTS, CUBES, TURNS, Cube, Dimension, Resolution
from shared.rollups.delta import Addition, AttemptFact, Delta, TurnFact, decode_delta
from shared.rollups.histogram import bucket_of
from shared.rollups.tables import EVERYBODY
from shared.telemetry.logs import get_logger

CACHE: Final = "cache"
"""Who answered with a stored answer."""
HUMAN: Final = "human"
"""Who answered a handoff."""


class RollupKey(NamedTuple):
    """A row of a cube: `starts` in seconds since 1970, `names` in the order of its dimensions."""

    seconds: int
    tenant_id: str
    starts: int
    names: tuple[str, ...]


Sums = dict[RollupKey, list[int]]
_OfMinute = tuple[str, int, tuple[str, ...]]
"""A tenant, the minute since 1970, and the names with the worker's."""


class Tally:
    """Sums of each cube, in the order of its sums; what is added twice counts twice.

    Each figure goes into `resolutions`, under its tenant and under everybody.
    """

    def __init__(self, resolutions: Iterable[Resolution] = Resolution) -> None:
        self._resolutions = [*resolutions]
        # Of one minute there are many ends and few names: they are put where else they belong once.
        self._minutes: dict[str, dict[_OfMinute, list[int]]] = {cube.name: {} for cube in CUBES}
        self._cubes: dict[str, Sums] = {cube.name: {} for cube in CUBES}

    @property
    def cubes(self) -> dict[str, Sums]:
        """By their names, all that was added so far."""
        for cube in CUBES:
            minutes = self._minutes[cube.name]
            for (tenant_id, minute, names), amounts in minutes.items():
                for sums in self._rows(cube, tenant_id, minute * 60, names):
                    sums[:] = [one + other for one, other in zip(sums, amounts, strict=True)]
            minutes.clear()
        return self._cubes

    def add(self, delta: Delta) -> None:
        """All that one transaction appended."""
        for turn in delta.turns:
            self.add_turn(turn)
        for attempt in delta.attempts:
            self.add_attempt(attempt)
        for addition in delta.additions:
            self.add_sums(addition)

    def add_turn(self, fact: TurnFact) -> None:
        """A message that has ended."""
        names = (
            *(fact.model or "", fact.lane, fact.state),
            *(_worker(fact), fact.variant or "", _answered_by(fact)),
        )
        wait, latency = _waited(fact.wait_ms), max(0, fact.latency_ms)
        told: list[tuple[int, int | None]] = [
            *((_MESSAGES, 1), (_IN_DEADLINE, fact.in_deadline), (_READ, fact.input_tokens)),
            *((_CACHED, fact.cached_tokens), (_WRITTEN, fact.output_tokens)),
            *((_COST, fact.cost_nanos), (_SAVED, fact.saved_nanos)),
            *((_LATENCY, latency), (_LATENCIES + bucket_of(latency), 1)),
        ]
        if wait is not None:
            told += (_WAIT, wait), (_WAITS + bucket_of(wait), 1)
        sums = self._minute(TURNS, fact.tenant_id, fact.ended_ms // 60_000, names)
        times = fact.times
        for place, amount in told:
            if amount:
                sums[place] += amount * times

    def add_attempt(self, fact: AttemptFact) -> None:
        """A call of a provider that was booked."""
        names = (
            fact.provider,
            fact.model,
            fact.lane or "",
            fact.error_class or "",
            fact.variant or "",
        )
        counted = (
            1,
            fact.input_tokens,
            fact.cached_tokens,
            fact.cache_write_tokens,
            fact.output_tokens,
            fact.reasoning_tokens,
            fact.cost_nanos,
            fact.cost_nanos is None,
            fact.is_estimated,
            fact.latency_ms,
        )
        bucket = len(counted) + bucket_of(fact.latency_ms)
        sums = self._minute(ATTEMPTS, fact.tenant_id or "", fact.booked_ms // 60_000, names)
        for place, amount in enumerate(counted):
            if amount:
                sums[place] += amount
        sums[bucket] += 1

    def add_sums(self, addition: Addition) -> None:
        """Sums that are ready made; names of sums that this version does not know are left out."""
        cube = _BY_NAME[addition.cube]
        if addition.seconds is not None:
            key = RollupKey(addition.seconds, addition.tenant_id, addition.starts, addition.names)
            sums = self._row(cube, key)
        else:
            minute = addition.starts // 60
            sums = self._minute(cube, addition.tenant_id, minute, addition.names)
        for place, name in enumerate(cube.sums):
            sums[place] += addition.sums.get(name, 0)

    def _minute(self, cube: Cube, tenant_id: str, minute: int, names: tuple[str, ...]) -> list[int]:
        minutes, key = self._minutes[cube.name], (tenant_id, minute, names)
        found = minutes.get(key)
        if found is None:
            found = minutes[key] = [0] * len(cube.sums)
        return found

    def _rows(
        self, cube: Cube, tenant_id: str, moment: int, names: tuple[str, ...]
    ) -> Iterator[list[int]]:
        of_tenant = without_worker(cube, names)
        for seconds in self._resolutions:
            starts = moment // seconds * seconds
            yield self._row(cube, RollupKey(seconds, tenant_id, starts, of_tenant))
            yield self._row(cube, RollupKey(seconds, EVERYBODY, starts, names))

    def _row(self, cube: Cube, key: RollupKey) -> list[int]:
        rows = self._cubes[cube.name]
        row = rows.get(key)
        if row is None:
            row = rows[key] = [0] * len(cube.sums)
        return row


def tally_of(deltas: Iterable[str], resolutions: Iterable[Resolution] = Resolution) -> Tally:
    """The sums of these rows; one that cannot be read is left out, and is a line in the log."""
    tally = Tally(resolutions)
    for figures in deltas:
        try:
            delta = decode_delta(figures)
        except msgspec.DecodeError as error:
            get_logger(__name__).warning("figures_unreadable", reason=str(error))
            continue
        tally.add(delta)
    return tally


def without_worker(cube: Cube, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names under which a tenant's own row is kept."""
    return tuple(
        EVERYBODY if dimension is Dimension.WORKER else name
        for dimension, name in zip(cube.dimensions, names, strict=True)
    )


def _waited(milliseconds: int | None) -> int | None:
    # Two machines' clocks may say that it was claimed before it was accepted.
    return None if milliseconds is None else max(0, milliseconds)


def _worker(fact: TurnFact) -> str:
    named = fact.worker or ""
    return PROVIDER_BATCH if named.startswith(f"{PROVIDER_BATCH}_") else named


def _answered_by(fact: TurnFact) -> str:
    if fact.saved_nanos is not None:
        return CACHE
    named = fact.answered_by or ""
    return HUMAN if named.startswith(_OF_HUMANS) else named


_OF_HUMANS: Final = f"{HUMAN}:"
_BY_NAME: Final = {cube.name: cube for cube in CUBES}
_AT: Final = {name: place for place, name in enumerate(TURNS.sums)}
_MESSAGES, _IN_DEADLINE = _AT["messages"], _AT["in_deadline"]
_READ, _CACHED, _WRITTEN = _AT["input_tokens"], _AT["cached_tokens"], _AT["output_tokens"]
_COST, _SAVED = _AT["cost_nanos"], _AT["saved_nanos"]
_WAIT, _LATENCY = _AT["wait_ms"], _AT["latency_ms"]
_WAITS, _LATENCIES = _AT["wait_00"], _AT["latency_00"]
