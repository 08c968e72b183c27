"""Choosing a model: the score of a message, from its body to the reason."""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from typing import Final

from shared.messages.body import Body
from shared.settings.turn.routing import RoutingSettings
from tests.benchmarks.day.generator import Day, Parameters
from tests.benchmarks.ground.stage import Stage
from tests.benchmarks.measurement import Progress, Rounds, Row
from workers.routing.model_router import ModelRouter
from workers.routing.question import question_of

LIMIT_MICROSECONDS: Final = {1_000: 50.0, 100_000: 300.0}
ROUNDS: Final = 15
TIMES: Final = 100


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU of one choice for messages of 1 KB and of 100 KB."""
    router = ModelRouter(RoutingSettings())
    for characters, limit in LIMIT_MICROSECONDS.items():
        say(f"choosing a model for a message of {characters // 1_000} KB")
        body, rounds = Body.says(_text(characters)), Rounds()
        for _ in range(ROUNDS):
            rounds.add(cpu=_choose(router, body))
        yield Row(
            what=f"choice of a model, message of {characters // 1_000} KB, CPU",
            on="memory",
            unit="µs",
            ours=rounds["cpu"],
            limit=limit,
        )


def _choose(router: ModelRouter, body: Body) -> float:
    began = time.process_time()
    for _ in range(TIMES):
        router.route(question_of(body, body.input))
    return (time.process_time() - began) / TIMES * 1e6


def _text(characters: int) -> str:
    """Questions of a day, one after the other."""
    asked = [each.text for each in Day(Parameters(messages=500)).messages()]
    Random(1).shuffle(asked)
    text = "\n".join(asked)
    return (text * (characters // len(text) + 1))[:characters]
