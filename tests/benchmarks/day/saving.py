"""What a day costs with caching, routing and the flex tier, beside what it costs with none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.benchmarks.day.arms import USUAL_THRESHOLD, one_more_each
from tests.benchmarks.day.generator import Day, Parameters
from tests.benchmarks.day.living import live
from tests.benchmarks.ground.stage import Broker, Stage
from tests.benchmarks.measurement import Progress, Row

MESSAGES_PER_SECOND: Final = 100
MOST_FALSE_PERCENT: Final = 1.0
_TARGET: Final = 0.4
"""Of what a day costs with none of it."""


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Dollars for a short day; `python -m tests.benchmarks.day` tells more of a longer one."""
    day = Day(Parameters(messages=int(MESSAGES_PER_SECOND * seconds))).messages()
    without, *others = one_more_each(USUAL_THRESHOLD)
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
            target=_TARGET if arm.flex else None,
        )
        if lived.hits:
            yield Row(
                what="answers to another question among its hits",
                on="RabbitMQ + Postgres",
                unit="%",
                ours=100 * lived.wrong_answers / lived.hits,
                limit=MOST_FALSE_PERCENT,
            )
