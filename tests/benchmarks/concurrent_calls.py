"""A thousand slow calls at once in one worker process, and the memory it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.benchmarks.ground.backlog import fill_ours
from tests.benchmarks.ground.forebay import worker
from tests.benchmarks.ground.provider import ScriptedProvider
from tests.benchmarks.ground.stage import Broker, Stage
from tests.benchmarks.measurement import Progress, Row

CALLS: Final = 1000
CALL_SECONDS: Final = 2.0
WAVES: Final = 3
LIMIT_MEBIBYTES: Final = 150.0


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """The worker's peak of resident memory; fails when it never ran them all at once."""
    say(f"{CALLS} calls of {CALL_SECONDS:g} s at once")
    ground = stage.ground(Broker.RABBITMQ)
    fill_ours(ground, CALLS * WAVES)
    with ScriptedProvider(ground.folder, seconds=CALL_SECONDS) as provider:
        program = worker(ground, provider_url=provider.url, concurrency=CALLS)
        with program:
            program.wait_until(
                lambda: provider.calls >= CALLS * WAVES, "last calls", every_seconds=0.1
            )
            peak = program.peak_bytes()
        assert provider.most_in_flight >= CALLS * 0.98, f"only {provider.most_in_flight} at once"
    yield Row(
        what=f"worker, peak memory at {CALLS} calls of {CALL_SECONDS:g} s",
        on=Broker.RABBITMQ,
        unit="MiB",
        ours=peak / 2**20,
        limit=LIMIT_MEBIBYTES,
    )
