"""A day that never was: rate, its shape over the hours, tenants, repeated questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from math import cos, log, pi
from random import Random
from typing import Final

from deploy.replay.day.recorded_day import NANO, RecordedAttempt, RecordedDay, RecordedMessage
from shared.messages.lane import Lane

_DAY: Final = 86_400.0
_LANES: Final = (
    (Lane.INTERACTIVE, 0.6, 60.0),
    (Lane.STANDARD, 0.3, 600.0),
    (Lane.BATCH, 0.1, _DAY),
)
_BEGAN: Final = 365 * _DAY
"""The first of January 2026, as replay counts."""
_WAY: Final = 0.006
_USERS: Final = 200
"""Of each tenant."""


class Shape(StrEnum):
    """How the rate runs over the hours."""

    FLAT = "flat"
    DAY = "day"
    """Four times as much at its height, in the afternoon, as in the night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedTraffic:
    """`repeated` is the share of messages that ask what was asked before; `failing` that of calls
    which fail. Calls last `call_seconds` in the mean, exponentially."""

    messages: int
    hours: float = 24.0
    shape: Shape = Shape.DAY
    tenants: int = 20
    repeated: float = 0.2
    failing: float = 0.005
    call_seconds: float = 2.0
    provider: str = "generated"
    model: str = "generated"
    seed: int = 0


def generated_day(traffic: GeneratedTraffic, *, slots: int, began: float = _BEGAN) -> RecordedDay:
    """The day: who came, and how each call would end. What becomes of them is for a run to say.

    It is the same whenever it is generated.
    """
    random = Random(traffic.seed)
    seconds = traffic.hours * 3600.0
    weights = list(accumulate(1 / (number + 1) for number in range(traffic.tenants)))
    times = sorted(_times(traffic, seconds, random))
    questions = _Questions(traffic.repeated, random)
    messages = [
        _message(number, began + at, traffic, weights, questions, random)
        for number, at in enumerate(times)
    ]
    return RecordedDay(
        began=began,
        ended=began + seconds,
        messages=messages,
        slots=slots,
        plans={},
        refusals_known=True,
    )


def _times(traffic: GeneratedTraffic, seconds: float, random: Random) -> Iterator[float]:
    number = 0
    while number < traffic.messages:
        at = random.uniform(0.0, seconds)
        if traffic.shape is Shape.DAY:
            height = 0.625 - 0.375 * cos(2 * pi * (at % _DAY - 3 * 3600.0) / _DAY)
            if random.random() > height:
                continue
        number += 1
        yield at


class _Questions:
    """Some asked for the first time, some again: those that were asked often, more often."""

    def __init__(self, repeated: float, random: Random) -> None:
        self._repeated = repeated
        self._random = random
        self._asked: list[str] = []

    def next(self) -> str:
        if self._asked and self._random.random() < self._repeated:
            question = self._random.choice(self._asked)
        else:
            question = f"q{len(self._asked)}"
        self._asked.append(question)
        return question


def _message(
    number: int,
    at: float,
    traffic: GeneratedTraffic,
    weights: list[float],
    questions: _Questions,
    random: Random,
) -> RecordedMessage:
    (tenant,) = random.choices(range(traffic.tenants), cum_weights=weights)
    ((lane, _, given),) = random.choices(_LANES, weights=[each[1] for each in _LANES])
    read, written = random.randint(100, 1_200), random.randint(20, 400)
    latency = -traffic.call_seconds * log(1.0 - random.random())
    call = RecordedAttempt(
        traffic.provider,
        traffic.model,
        0.002,
        latency,
        error="server_error" if random.random() < traffic.failing else None,
        input_tokens=read,
        output_tokens=written,
        cost=(read * 250 + written * 2_000) * NANO // 1_000_000_000,
    )
    question = questions.next()
    return RecordedMessage(
        id=f"g{number}",
        tenant=f"tenant-{tenant}",
        user=f"user-{random.randrange(_USERS)}",
        lane=lane,
        at=at,
        deadline=at + given,
        estimated_tokens=read + 200,
        digest=question.encode().ljust(8, b"\0")[-8:],
        key=f"{tenant}:{question}",
        may_be_kept=True,
        waited=_WAY,
        took=latency + 0.004,
        attempts=(call,),
    )
