"""What a day costs with caching and routing, beside what it costs with neither."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.benchmarks.day.arms import USUAL_THRESHOLD, arms
from tests.benchmarks.day.generator import Day, Parameters
from tests.benchmarks.day.living import live
from tests.benchmarks.ground.stage import Broker, Stage
from tests.benchmarks.measurement import Progress, Row

MESSAGES_PER_SECOND: Final = 100
MOST_FALSE_PERCENT: Final = 1.0


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Dollars for a short day; `python -m tests.benchmarks.day` tells more of a longer one."""
    day = Day(Parameters(messages=int(MESSAGES_PER_SECOND * seconds))).messages()
    without, *others = arms([USUAL_THRESHOLD])
    say(f"a day of {len(day)} messages with {without.name}")
    dollars = float(live(without, day, stage.ground(Broker.RABBITMQ)).dollars)
    for arm in others:
        say(f"a day of {len(day)} messages with {arm.name}")
        lived = live(arm, day, stage.ground(Broker.RABBITMQ))
        yield Row(
            what=f"a day of {len(day)} messages with {arm.name} (stock: nothing)",
            on="RabbitMQ + Postgres",
            unit="$",
            ours=float(lived.dollars),
            stock=dollars,
        )
        if lived.hits:
            yield Row(
                what="answers to another question among its hits",
                on="RabbitMQ + Postgres",
                unit="%",
                ours=100 * lived.wrong_answers / lived.hits,
                limit=MOST_FALSE_PERCENT,
            )
