"""Rows of figures put together from what each cube knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.rollups.cubes import ATTEMPTS, DOORS, TURNS, Cube, Dimension
from shared.rollups.histogram import Histogram
from shared.rollups.row import RollupRow, dollars
from shared.rollups.tables import histogram_columns

_Group = tuple[datetime | None, tuple[str, ...]]


class Assembly:
    """Collects sums by time and names, and gives them as rows in that order."""

    def __init__(
        self, by: Sequence[Dimension], cubes: Sequence[Cube], step: timedelta | None
    ) -> None:
        self._by = tuple(by)
        self._cubes = tuple(cubes)
        self._step = step
        self._found: dict[_Group, dict[str, dict[str, Sequence[int]]]] = {}

    def add(
        self, cube: Cube, names: Sequence[str], starts: datetime | None, sums: Sequence[int | None]
    ) -> None:
        """Sums in the order of the cube's, under the names of the question and maybe a reason."""
        group = (self._stepped(starts), tuple(names[: len(self._by)]))
        of_cube = self._found.setdefault(group, {}).setdefault(cube.name, {})
        reason = _reason(cube, self._by, names)
        before = of_cube.get(reason, (0,) * len(sums))
        of_cube[reason] = [one + (other or 0) for one, other in zip(before, sums, strict=True)]

    def rows(self) -> list[RollupRow]:
        """All that was added."""
        return [self._row(*found) for found in sorted(self._found.items(), key=_order)]

    def _stepped(self, starts: datetime | None) -> datetime | None:
        if starts is None or self._step is None:
            return None
        step = round(self._step.total_seconds())
        return datetime.fromtimestamp(starts.timestamp() // step * step, UTC)

    def _row(self, group: _Group, found: Mapping[str, dict[str, Sequence[int]]]) -> RollupRow:
        starts_at, names = group
        told: dict[str, Any] = {}
        for cube in self._cubes:
            if by_reason := found.get(cube.name):
                told |= _TELLING[cube.name](cube, by_reason)
        if TURNS in self._cubes and ATTEMPTS not in self._cubes and TURNS.name in found:
            told |= _paid_for_turns(TURNS, found[TURNS.name])
        return RollupRow(dims=dict(zip(self._by, names, strict=True)), starts_at=starts_at, **told)


def _reason(cube: Cube, by: Sequence[Dimension], names: Sequence[str]) -> str:
    own = {ATTEMPTS.name: Dimension.ERROR, DOORS.name: Dimension.REASON}.get(cube.name)
    if own is None:
        return ""
    return names[by.index(own)] if own in by else names[len(by)]


def _order(found: tuple[_Group, object]) -> tuple[float, tuple[str, ...]]:
    (starts_at, names), _ = found
    return (starts_at.timestamp() if starts_at else 0.0), names


class _NamedSums:
    """The sums of a cube by their names, of all reasons together."""

    def __init__(self, cube: Cube, by_reason: Mapping[str, Sequence[int]]) -> None:
        whole = (sum(column) for column in zip(*by_reason.values(), strict=True))
        self._sums: dict[str, int] = dict(zip(cube.sums, whole, strict=True))

    def __getitem__(self, name: str) -> int:
        return self._sums[name]

    def some(self, *names: str) -> dict[str, int]:
        return {name: self._sums[name] for name in names}

    def histogram(self, name: str) -> Histogram:
        counts = tuple(self._sums[column] for column in histogram_columns(name))
        return Histogram(counts, self._sums[f"{name}_ms"] / 1_000)


def _of_turns(cube: Cube, by_reason: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    sums = _NamedSums(cube, by_reason)
    return sums.some("messages", "in_deadline") | {
        "wait": sums.histogram("wait"),
        "latency": sums.histogram("latency"),
        "saved": dollars(sums["saved_nanos"]),
    }


def _paid_for_turns(cube: Cube, by_reason: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    sums = _NamedSums(cube, by_reason)
    tokens = sums.some("input_tokens", "cached_tokens", "output_tokens")
    return tokens | {"cost": dollars(sums["cost_nanos"])}


def _of_attempts(cube: Cube, by_reason: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    sums, at = _NamedSums(cube, by_reason), cube.sums.index("attempts")
    read = ("input_tokens", "cached_tokens", "cache_write_tokens")
    return sums.some("attempts", *read, "output_tokens", "reasoning_tokens") | {
        "errors": {name: row[at] for name, row in sorted(by_reason.items()) if name and row[at]},
        "attempt_latency": sums.histogram("latency"),
        "cost": dollars(sums["cost_nanos"]),
        "unknown": sums["unknown"],
        "estimated": sums["estimated"],
    }


def _of_doors(cube: Cube, by_reason: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    at = cube.sums.index("refused")
    return {
        "accepted": _NamedSums(cube, by_reason)["accepted"],
        "refused": {name: row[at] for name, row in sorted(by_reason.items()) if row[at]},
    }


_TELLING: Final = {TURNS.name: _of_turns, ATTEMPTS.name: _of_attempts, DOORS.name: _of_doors}
