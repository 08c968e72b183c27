"""What one metric is: its name, unit, labels and what they may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

PREFIX: Final = "forebay_"
TOTAL: Final = "_total"


class InstrumentType(StrEnum):
    """How a number behaves over time."""

    COUNTER = "counter"
    """Only ever grows, until its process ends."""
    GAUGE = "gauge"
    """What is true right now."""
    HISTOGRAM = "histogram"
    """How often a value fell into each bucket, and the sum of all values."""


@dataclass(frozen=True, slots=True)
class Label:
    """A dimension of a metric; `bound` is the most values it takes in one deployment.

    `known` are its values, where they can be told before they occur.
    """

    name: str
    bound: int
    values: str
    known: tuple[str, ...] = ()


def one_of(name: str, *known: str, said: str = "") -> Label:
    """A label whose values are all known; `said` tells of them where their names do not."""
    return Label(name, len(known), said or ", ".join(known), tuple(map(str, known)))


@dataclass(frozen=True, slots=True)
class Instrument:
    """One row of the table of metrics. `unit` is the word for one of what is counted."""

    name: str
    type: InstrumentType
    unit: str
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def attribute(self) -> str:
        """The name it has on `Metrics`: without the prefix, and without `_total`."""
        return self.name.removeprefix(PREFIX).removesuffix(TOTAL)

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)

    def children(self, given: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
        """Label values of the series that can be told before they occur, where `given` tells the
        values of labels that nobody knows before the settings are read, such as providers.

        Only of counters: a counter that begins at 1 has, for whoever looks at its increase, never
        risen. None, where `given` has nothing to do with it.
        """
        names = self.label_names
        if self.type is not InstrumentType.COUNTER or not names:
            return iter(())
        if given and given.keys().isdisjoint(names):
            return iter(())
        return product(
            *((given[each.name],) if each.name in given else each.known for each in self.labels)
        )

    @property
    def series_bound(self) -> int:
        """The most time series one process can make of this instrument."""
        # A histogram adds its +Inf bucket, its sum and its count.
        bound = len(self.buckets) + 3 if self.type is InstrumentType.HISTOGRAM else 1
        for label in self.labels:
            bound *= label.bound
        return bound


def counter(name: str, help_: str, *labels: Label, unit: str) -> Instrument:
    """A row for something that is counted; `_total` is added to the name."""
    return Instrument(PREFIX + name + TOTAL, InstrumentType.COUNTER, unit, help_, labels)


def gauge(name: str, help_: str, *labels: Label, unit: str) -> Instrument:
    """A row for something that goes up and down."""
    return Instrument(PREFIX + name, InstrumentType.GAUGE, unit, help_, labels)


def histogram(
    name: str, help_: str, *labels: Label, unit: str = "seconds", buckets: tuple[float, ...]
) -> Instrument:
    """A row for something whose spread matters; `buckets` are upper bounds in `unit`."""
    return Instrument(PREFIX + name, InstrumentType.HISTOGRAM, unit, help_, labels, buckets)
