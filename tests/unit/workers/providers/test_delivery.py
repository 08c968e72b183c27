"""What the caller of a chain hears while it is walked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.workers.providers.scripted_links import PROMPT, Stage, answer, transient
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer
from workers.providers.provider import TextSink


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_a_switch_after_the_first_text_is_never_silent(stage: Stage) -> None:
    async def cut_in_the_middle(on_delta: TextSink | None) -> Answer:
        assert on_delta is not None
        await on_delta("Hal")
        raise transient(ErrorClass.CUT_STREAM)

    async def whole(on_delta: TextSink | None) -> Answer:
        assert on_delta is not None
        await on_delta("Hi")
        return answer()

    first = stage.provider("a", cut_in_the_middle, transient(), cut_in_the_middle)
    await stage.ask(first, stage.provider("b", whole))

    assert stage.told == ["Hal", "<restart>", "Hal", "<restart>", "Hi"]


async def test_a_failure_before_any_text_is_not_told(stage: Stage) -> None:
    await stage.ask(stage.provider("a", transient(), answer()))

    assert stage.told == []


async def test_without_a_sink_no_provider_is_asked_to_stream(stage: Stage) -> None:
    async def plain(on_delta: TextSink | None) -> Answer:
        assert on_delta is None
        return answer()

    chain = stage.chain(stage.provider("a", plain))
    deadline = stage.clock.now() + timedelta(seconds=5)

    assert (await chain.answer(PROMPT, deadline=deadline)).outcome == answer()
