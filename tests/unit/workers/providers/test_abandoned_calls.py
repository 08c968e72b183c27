"""What a turn had called when it was stopped is on record: it was paid for."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.unit.workers.providers.scripted_links import PROMPT, Stage, transient
from workers.providers.attempt import Attempt
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer
from workers.providers.provider import TextSink


async def test_what_a_cancelled_walk_had_called_is_told() -> None:
    stage, reached, told = Stage(), asyncio.Event(), list[Attempt]()

    async def hang(on_delta: TextSink | None) -> Answer:
        assert on_delta is not None
        await on_delta("half of an answer")
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    chain = stage.chain(
        stage.provider("a", transient(), transient(), transient()), stage.provider("b", hang)
    )
    deadline = stage.clock.now() + timedelta(seconds=60)
    walking = chain.answer(PROMPT, deadline=deadline, on_delta=_unheard, on_abandoned=told.extend)
    walk = asyncio.create_task(walking)
    await reached.wait()
    walk.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walk
    *failed, cut = told
    assert {each.provider for each in failed} == {"a"}
    assert (cut.provider, cut.error_class) == ("b", ErrorClass.ABANDONED)
    assert cut.usage is not None
    assert (cut.usage.output_tokens, cut.usage.reported) == (5, False)


async def _unheard(piece: str) -> None:
    """A caller who has gone."""
