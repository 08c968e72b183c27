"""One measurement of one set: what every system was worth on every case."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from shared.evaluation.halves import CaseHalf, half_of


class EvaluationRun(msgspec.Struct, frozen=True, kw_only=True):
    """Kept with every case, for two runs are compared case by case."""

    subject: str
    """What was measured, such as `search`."""
    set_name: str
    settings: dict[str, str]
    """What must be equal for two runs to be compared: sizes, models, where the cases come from."""
    conditions: dict[str, str]
    """What figures are told with and not compared by: versions, times, what was left out."""
    at: datetime
    cases: tuple[str, ...]
    """Ids; a case of two runs is the same where its id is."""
    systems: dict[str, dict[str, tuple[float, ...]]]
    """Of each system each metric, with one value for each case; more is better."""

    @property
    def line(self) -> str:
        """What runs that may be compared have in common: 12 hexadecimal digits."""
        parts = [self.subject, self.set_name, *map("=".join, sorted(self.settings.items()))]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    def of(self, half: CaseHalf) -> EvaluationRun:
        """The same, of the cases of one half."""
        return self.only({each for each in self.cases if half_of(each) is half})

    def only(self, wanted: set[str]) -> EvaluationRun:
        """The same, of these cases, in the order that they have here."""
        return self.in_order([each for each in self.cases if each in wanted])

    def in_order(self, cases: Sequence[str]) -> EvaluationRun:
        """The same, of exactly these cases in this order; each must be there."""
        place_of: Mapping[str, int] = {each: place for place, each in enumerate(self.cases)}
        places = [place_of[each] for each in cases]
        return msgspec.structs.replace(
            self,
            cases=tuple(cases),
            systems={
                system: {
                    metric: tuple(values[at] for at in places) for metric, values in metrics.items()
                }
                for system, metrics in self.systems.items()
            },
        )
