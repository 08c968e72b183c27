"""The score: all signals together, without a call of any model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from shared.settings.turn.routing import RoutingSettings
from workers.routing.complexity.reading import QuestionReading
from workers.routing.complexity.signals import (
    code,
    constraints,
    demand,
    history,
    language,
    length,
    maths,
    output,
    routine,
)
from workers.routing.question import RoutedQuestion

Measure = Callable[[QuestionReading], float]

RAISING: Final[dict[str, Measure]] = {
    "length": length.measure,
    "code": code.measure,
    "maths": maths.measure,
    "demand": demand.measure,
    "constraints": constraints.measure,
    "history": history.measure,
    "output": output.measure,
    "language": language.measure,
}
LOWERING: Final[dict[str, Measure]] = {"routine": routine.measure}


class Signal(NamedTuple):
    """One sign: how strong it is, 0 to 1, and how much that may do to the score."""

    name: str
    value: float
    weight: float
    raises: bool = True

    @property
    def effect(self) -> float:
        return self.value * self.weight


class Score(NamedTuple):
    """How hard a message looks: 0 to 1, and why."""

    value: float
    signals: tuple[Signal, ...]

    @property
    def leading(self) -> tuple[Signal, ...]:
        """The signals that matter, strongest first."""
        felt = [signal for signal in self.signals if signal.effect >= _FELT]
        return tuple(sorted(felt, key=lambda signal: -signal.effect))


_FELT: Final = 0.05


class Complexity:
    """Scores questions with the weights of the settings; holds no state."""

    def __init__(self, settings: RoutingSettings) -> None:
        self._raising = tuple(_weighted(RAISING, settings))
        self._lowering = tuple(_weighted(LOWERING, settings))

    def score(self, question: RoutedQuestion) -> Score:
        """Each raising signal takes its share of what the others left of 1; a lowering one takes
        its share away again. So no signal outweighs all others, and any strong one suffices."""
        reading = QuestionReading(question)
        easiness = 1.0
        signals = []
        for name, weight, measure in self._raising:
            value = measure(reading)
            easiness *= 1.0 - value * weight
            signals.append(Signal(name, value, weight))
        score = 1.0 - easiness
        for name, weight, measure in self._lowering:
            value = measure(reading)
            score *= 1.0 - value * weight
            signals.append(Signal(name, value, weight, raises=False))
        return Score(round(score, 3), tuple(signals))


def _weighted(
    measures: dict[str, Measure], settings: RoutingSettings
) -> Iterator[tuple[str, float, Measure]]:
    for name, measure in measures.items():
        weight = getattr(settings, f"weight_{name}")
        if weight:
            yield name, weight, measure
