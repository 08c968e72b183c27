"""What the caller of a chain hears while it is walked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.workers.providers.scripted_links import PROMPT, Stage, answer, transient
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer, Usage
from workers.providers.provider import Sink


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_a_switch_after_the_first_text_is_never_silent(stage: Stage) -> None:
    async def cut_in_the_middle(on_delta: Sink | None) -> Answer:
        assert on_delta is not None
        await on_delta("Hal")
        raise transient(ErrorClass.CUT_STREAM)

    async def whole(on_delta: Sink | None) -> Answer:
        assert on_delta is not None
        await on_delta("Hi")
        return answer()

    first = stage.provider("a", cut_in_the_middle, transient(), cut_in_the_middle)
    await stage.ask(first, stage.provider("b", whole))

    assert stage.told == ["Hal", "<restart>", "Hal", "<restart>", "Hi"]


async def test_a_failure_before_any_text_is_not_told(stage: Stage) -> None:
    await stage.ask(stage.provider("a", transient(), answer()))

    assert stage.told == []


async def test_what_came_of_a_call_is_counted_whoever_wants_to_hear_it(stage: Stage) -> None:
    async def broken(on_delta: Sink | None) -> Answer:
        assert on_delta is not None
        await on_delta("x" * 40)
        raise transient(ErrorClass.CUT_STREAM)

    chain = stage.chain(stage.provider("a", broken, answer()))
    deadline = stage.clock.now() + timedelta(seconds=5)
    result = await chain.answer(PROMPT, deadline=deadline)

    assert result.attempts[0].usage == Usage.estimated(read=PROMPT.tokens(), written="x" * 40)
    assert not stage.told
