"""What a walk has called is told as soon as it has ended, however it did: it was paid for."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.unit.workers.providers.scripted_links import PROMPT, Stage, answer, transient
from workers.providers.attempt import Attempt, ChainExhaustedError
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer, Usage
from workers.providers.provider import Sink


async def test_what_a_cancelled_walk_had_called_is_told() -> None:
    stage, reached, told = Stage(), asyncio.Event(), list[Attempt]()

    async def hang(on_delta: Sink | None) -> Answer:
        assert on_delta is not None
        await on_delta("half of an answer")
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    chain = stage.chain(
        stage.provider("a", transient(), transient(), transient()), stage.provider("b", hang)
    )
    deadline = stage.clock.now() + timedelta(seconds=60)
    walking = chain.answer(PROMPT, deadline=deadline, on_delta=_unheard, on_called=told.extend)
    walk = asyncio.create_task(walking)
    await reached.wait()
    walk.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walk
    *failed, cut = told
    assert {each.provider for each in failed} == {"a"}
    assert (cut.provider, cut.error_class) == ("b", ErrorClass.ABANDONED)
    assert cut.usage == Usage.estimated(read=PROMPT.tokens(), written="half of an answer")


@pytest.mark.parametrize("answers", [True, False])
async def test_what_a_walk_had_called_is_told_once_whoever_answered(answers: bool) -> None:
    stage, told = Stage(), list[tuple[Attempt, ...]]()
    tries = [transient(), transient(), transient()]
    last = [answer()] if answers else tries
    chain = stage.chain(stage.provider("a", *tries), stage.provider("b", *last))
    deadline = stage.clock.now() + timedelta(seconds=60)
    try:
        told_with = (await chain.answer(PROMPT, deadline=deadline, on_called=told.append)).attempts
    except ChainExhaustedError as exhausted:
        told_with = exhausted.attempts
    assert told == [told_with]
    assert [each.provider for each in told_with] == ["a"] * 3 + ["b"] * len(last)


async def _unheard(piece: str) -> None:
    """A caller who has gone."""
