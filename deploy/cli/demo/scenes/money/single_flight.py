"""The same question many times at the same moment."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Final

from deploy.cli.demo.scene import SceneFailed, Told, expect
from deploy.cli.demo.stage import Stage
from deploy.cli.demo.visitor import Heard
from deploy.scripted_provider.behaviour import Behaviour, Kind
from shared.messages.turn_report import CacheKind

_CROWD: Final = 16
_QUESTIONS: Final = (
    "Who was the first to swim the channel?",
    "How many bones has a grown horse?",
    "Which metal melts in a warm hand?",
    "Where does the Danube begin?",
    "When was the fountain pen invented?",
    "Why do cats purr when they are ill?",
    "What is the longest word in Finnish?",
    "Whose portrait hung in the first post office?",
)
"""One a round; none so like another that its stored answer would do."""
_CALL_SECONDS: Final = 0.6


async def single_flight(stage: Stage) -> Told:
    stage.primary.script(Behaviour(kind=Kind.LATENCY, seconds=_CALL_SECONDS))
    heard, workers = await _crowd_of_both_workers(stage)
    told = [each.turn["cache"] for each in heard if "cache" in each.turn]
    kinds = Counter(each["kind"] for each in told)
    expect(len(told) == _CROWD - 1, f"{_CROWD - len(told)} of them called the provider.")
    expect(kinds[CacheKind.SINGLE_FLIGHT] > 0, f"The answers are told as {dict(kinds)}.")
    expect(len({each.text for each in heard}) == 1, "The answers differ.")
    # Without it each of the others would have been asked and paid like the first.
    saved = sum((Decimal(each["saved"]) for each in told), Decimal(0))
    return Told(
        f"{_CROWD} equal messages at once over {workers} workers: one call of the provider, and "
        f"the same answer to all of them: “{heard[0].text}”",
        {"messages": _CROWD, "workers": workers, "provider_calls": 1},
        saved,
    )


async def _crowd_of_both_workers(stage: Stage) -> tuple[list[Heard], int]:
    """The answers to a crowd that more than one worker had a part of, and how many had."""
    visitor = stage.visitor.sharing_answers()
    for question in _QUESTIONS:
        heard = await asyncio.gather(*(visitor.post(question) for _ in range(_CROWD)))
        states = Counter(each.state for each in heard)
        expect(states == {"completed": _CROWD}, f"The states are {dict(states)}.")
        calls = stage.primary.calls.by_content[question]
        expect(calls == 1, f"The provider was asked {calls} times.")
        workers = await stage.books.workers_of([each.body["id"] for each in heard])
        if len(workers) > 1:
            return heard, len(workers)
    raise SceneFailed("No crowd was shared by two workers.")
