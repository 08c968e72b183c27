"""Adding up: what deltas hold, as sums by cube, resolution, time and names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

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
_AsTold = tuple[Any, ...]


class Tally:
    """Sums of each cube, in the order of its sums; what is added twice counts twice.

    Each figure goes into `resolutions`, under its tenant and under everybody.
    """

    def __init__(self, resolutions: Iterable[Resolution] = Resolution) -> None:
        self._resolutions = [*resolutions]
        # Of one minute there are many ends and few names: they are put where else they belong once.
        self._minutes: dict[str, dict[_OfMinute, list[int]]] = {cube.name: {} for cube in CUBES}
        # By what facts say, before it is told in the words of names: most have been told already.
        self._turns: dict[_AsTold, list[int]] = {}
        self._attempts: dict[_AsTold, list[int]] = {}
        self._cubes: dict[str, Sums] = {cube.name: {} for cube in CUBES}

    @property
    def breadth(self) -> int:
        """How many tenants, minutes and names were told apart so far, in all cubes together: each
        is a row or some."""
        return sum(map(len, self._minutes.values())) + sum(map(len, self._cubes.values()))

    @property
    def cubes(self) -> dict[str, Sums]:
        """By their names, all that was added so far."""
        self._turns.clear()
        self._attempts.clear()
        for cube in CUBES:
            minutes = self._minutes[cube.name]
            for (tenant_id, minute, names), amounts in minutes.items():
                told = [(place, amount) for place, amount in enumerate(amounts) if amount]
                for sums in self._rows(cube, tenant_id, minute * 60, names):
                    for place, amount in told:
                        sums[place] += amount
            minutes.clear()
        return self._cubes

    def add_figures(self, figures: str) -> None:
        """A row of deltas; one that cannot be read is left out, and is a line in the log."""
        try:
            delta = decode_delta(figures)
        except msgspec.DecodeError as error:
            get_logger(__name__).warning("figures_unreadable", reason=str(error))
            return
        self.add(delta)

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
        told = (
            fact.tenant_id,
            fact.ended_ms // 60_000,
            fact.model,
            fact.lane,
            fact.state,
            fact.worker,
            fact.variant,
            fact.answered_by,
            fact.saved_nanos is None,
        )
        sums = self._turns.get(told)
        if sums is None:
            sums = self._turns[told] = self._minute(TURNS, told[0], told[1], _names_of_turn(fact))
        times, latency = fact.times, fact.latency_ms
        if latency < 0:
            latency = 0
        sums[_MESSAGES] += times
        sums[_IN_DEADLINE] += fact.in_deadline * times
        sums[_READ] += (fact.input_tokens or 0) * times
        sums[_CACHED] += (fact.cached_tokens or 0) * times
        sums[_WRITTEN] += (fact.output_tokens or 0) * times
        sums[_COST] += (fact.cost_nanos or 0) * times
        sums[_SAVED] += (fact.saved_nanos or 0) * times
        sums[_LATENCY] += latency * times
        sums[_LATENCIES + bucket_of(latency)] += times
        wait = fact.wait_ms
        if wait is not None:
            if wait < 0:
                wait = 0  # two machines' clocks said that it was claimed before it was accepted
            sums[_WAIT] += wait * times
            sums[_WAITS + bucket_of(wait)] += times

    def add_attempt(self, fact: AttemptFact) -> None:
        """A call of a provider that was booked."""
        told = (
            fact.tenant_id,
            fact.booked_ms // 60_000,
            fact.provider,
            fact.model,
            fact.lane,
            fact.error_class,
            fact.variant,
        )
        sums = self._attempts.get(told)
        if sums is None:
            names = _names_of_attempt(fact)
            sums = self._attempts[told] = self._minute(ATTEMPTS, told[0] or "", told[1], names)
        latency = fact.latency_ms
        sums[_ATTEMPTS] += 1
        sums[_INPUT] += fact.input_tokens or 0
        sums[_FROM_CACHE] += fact.cached_tokens or 0
        sums[_INTO_CACHE] += fact.cache_write_tokens or 0
        sums[_OUTPUT] += fact.output_tokens or 0
        sums[_REASONING] += fact.reasoning_tokens or 0
        sums[_PAID] += fact.cost_nanos or 0
        sums[_UNKNOWN] += fact.cost_nanos is None
        sums[_ESTIMATED] += fact.is_estimated or 0
        sums[_TOOK] += latency
        sums[_TIMES_TAKEN + bucket_of(latency)] += 1

    def add_sums(self, addition: Addition) -> None:
        """Sums that are ready made; what of them this version does not know is left out: names of
        sums, a cube, or one that is told by other names."""
        cube = _BY_NAME.get(addition.cube)
        if cube is None or len(addition.names) != len(cube.dimensions):
            get_logger(__name__).warning("figures_unknown", cube=addition.cube)
            return
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
    """The sums of these rows."""
    tally = Tally(resolutions)
    for figures in deltas:
        tally.add_figures(figures)
    return tally


def without_worker(cube: Cube, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names under which a tenant's own row is kept."""
    return tuple(
        EVERYBODY if dimension is Dimension.WORKER else name
        for dimension, name in zip(cube.dimensions, names, strict=True)
    )


def _names_of_turn(fact: TurnFact) -> tuple[str, ...]:
    return (
        *(fact.model or "", fact.lane, fact.state),
        *(_worker(fact), fact.variant or "", _answered_by(fact)),
    )


def _names_of_attempt(fact: AttemptFact) -> tuple[str, ...]:
    return (
        *(fact.provider, fact.model, fact.lane or ""),
        *(fact.error_class or "", fact.variant or ""),
    )


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
_IN: Final = {name: place for place, name in enumerate(ATTEMPTS.sums)}
_ATTEMPTS, _UNKNOWN, _ESTIMATED = _IN["attempts"], _IN["unknown"], _IN["estimated"]
_INPUT, _FROM_CACHE = _IN["input_tokens"], _IN["cached_tokens"]
_INTO_CACHE, _OUTPUT = _IN["cache_write_tokens"], _IN["output_tokens"]
_REASONING, _PAID = _IN["reasoning_tokens"], _IN["cost_nanos"]
_TOOK, _TIMES_TAKEN = _IN["latency_ms"], _IN["latency_00"]
