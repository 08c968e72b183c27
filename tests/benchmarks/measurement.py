"""What a benchmark finds: figures side by side, and the target they are held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from statistics import median

import msgspec

Progress = Callable[[str], None]


class Better(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of ours beside one of the stock way, each the median of its rounds.

    `target` bounds the ratio ours / stock; `limit` bounds our own figure; both hold where both are.
    `apart` holds figures of ours that belong to it and that neither bounds, in the same unit.
    """

    what: str
    on: str
    unit: str
    ours: float
    stock: float | None = None
    better: Better = Better.LOWER
    target: float | None = None
    limit: float | None = None
    apart: Mapping[str, float] = {}

    @property
    def ratio(self) -> float | None:
        return None if not self.stock else self.ours / self.stock

    @property
    def reached(self) -> bool | None:
        """None where nothing is aimed at."""
        held = []
        if self.target is not None and self.ratio is not None:
            held.append(self._is_within(self.ratio, self.target))
        if self.limit is not None:
            held.append(self._is_within(self.ours, self.limit))
        return all(held) if held else None

    def _is_within(self, figure: float, bound: float) -> bool:
        return figure >= bound if self.better is Better.HIGHER else figure <= bound


class Rounds:
    """Figures of alternating rounds, by name."""

    def __init__(self) -> None:
        self._figures: dict[str, list[float]] = {}

    def add(self, **figures: float) -> None:
        for name, figure in figures.items():
            self._figures.setdefault(name, []).append(figure)

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __getitem__(self, name: str) -> float:
        return median(self._figures[name])
