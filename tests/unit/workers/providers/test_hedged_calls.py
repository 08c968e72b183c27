"""A second call beside a late one: who is heard, who is cut, and what is on record of it."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.workers.providers.scripted_links import answer, invalid, transient
from tests.unit.workers.providers.steered import HUMAN, HedgingStage, SteeredProvider, errors
from workers.providers.chain import Judgement
from workers.providers.outcome import Answer


@pytest.fixture
def stage() -> HedgingStage:
    return HedgingStage()


@pytest.fixture
def first(stage: HedgingStage) -> SteeredProvider:
    provider = SteeredProvider("a")
    stage.knows(provider, seconds=1.0)
    return provider


@pytest.fixture
def second() -> SteeredProvider:
    return SteeredProvider("b")


async def test_a_call_in_time_has_no_second(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider
) -> None:
    first.does(answer())
    result = await stage.walk(first, second)

    assert (result.provider, errors(result), second.calls) == ("a", [("a", None)], 0)
    assert stage.waits == [1.0]


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_second_answers_when_the_first_is_late(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider, streamed: bool
) -> None:
    walk = stage.walk(first, second, streamed=streamed)
    await stage.make_late(first)
    second.does("Hi", answer("Hi"))
    result = await walk

    assert (result.provider, result.outcome) == ("b", answer("Hi"))
    assert errors(result) == [("a", "hedged_away"), ("b", None)]
    cut, heard = result.attempts
    assert cut.usage is not None
    assert (cut.usage.input_tokens > 0, cut.usage.output_tokens, cut.usage.reported) == (
        True,
        0,
        False,
    )
    assert (heard.ordinal, heard.usage) == (2, answer().usage)
    assert stage.told == (["Hi"] if streamed else [])
    assert (first.cuts, stage.counted(second, "won")) == (1, True)


async def test_the_first_token_takes_the_stream_and_cuts_the_other_at_once(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider
) -> None:
    walk = stage.walk(first, second, streamed=True)
    await stage.make_late(first)
    await second.called.wait()
    second.does("He")
    await first.cut.wait()
    assert not walk.done()
    first.does("never heard")
    second.does("llo", answer("Hello"))

    assert (await walk).provider == "b"
    assert stage.told == ["He", "llo"]


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_first_may_still_win(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider, streamed: bool
) -> None:
    walk = stage.walk(first, second, streamed=streamed)
    await stage.make_late(first)
    await second.called.wait()
    first.does("Hi", answer("Hi"))
    result = await walk

    assert result.provider == "a"
    assert errors(result) == [("a", None), ("b", "hedged_away")]
    assert (second.cuts, stage.counted(second, "lost")) == (1, True)


@pytest.mark.parametrize("streamed", [False, True])
async def test_when_the_first_fails_the_second_is_the_attempt(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider, streamed: bool
) -> None:
    walk = stage.walk(first, second, streamed=streamed)
    await stage.make_late(first)
    await second.called.wait()
    first.does(transient())
    second.does("Hi", answer("Hi"))
    result = await walk

    assert errors(result) == [("a", "server_error"), ("b", None)]
    assert (result.provider, second.calls, second.cuts) == ("b", 1, 0)


async def test_a_hedge_that_fails_leaves_the_message_to_the_first(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider
) -> None:
    walk = stage.walk(first, second)
    await stage.make_late(first)
    second.does(invalid())
    await second.called.wait()
    first.does(answer())
    result = await walk

    assert result.provider == "a"
    assert errors(result) == [("a", None), ("b", "invalid_request")]
    assert stage.counted(second, "failed")


async def test_when_both_fail_the_walk_goes_on_behind_the_first(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider
) -> None:
    walk = stage.walk(first, second)
    await stage.make_late(first)
    second.does(transient())
    first.does(transient())
    second.does(answer())
    result = await walk

    assert errors(result) == [("a", "server_error"), ("b", "server_error"), ("b", None)]


async def test_a_request_that_the_first_calls_invalid_is_left_to_the_second(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider
) -> None:
    walk = stage.walk(first, second)
    await stage.make_late(first)
    await second.called.wait()
    first.does(invalid())
    second.does(answer())

    result = await walk
    assert [each.error_class for each in result.attempts] == ["invalid_request", None]


async def test_a_stream_that_breaks_after_it_won_is_restarted(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider
) -> None:
    walk = stage.walk(first, second, streamed=True)
    await stage.make_late(first)
    second.does("He", transient())
    second.does("Hello", answer("Hello"))
    result = await walk

    assert errors(result) == [("a", "hedged_away"), ("b", "server_error"), ("b", None)]
    assert stage.told == ["He", "<restart>", "Hello"]


async def test_an_answer_that_is_rejected_does_not_win(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider
) -> None:
    async def judge(given: Answer) -> Judgement:
        return Judgement(accepted=given.text == "good", reason="not so")

    walk = stage.walk(first, second, judge=judge)
    await stage.make_late(first)
    second.does(answer("bad"))
    await second.called.wait()
    first.does(answer("good"))
    result = await walk

    assert result.provider == "a"
    assert errors(result) == [("a", None), ("b", "rejected")]


async def test_an_answer_for_a_human_ends_the_race(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider
) -> None:
    async def judge(_: Answer) -> Judgement:
        return Judgement(accepted=False, reason="no", hands_off=True)

    stage.human.does(HUMAN)
    walk = stage.walk(first, second, judge=judge)
    await stage.make_late(first)
    second.does(answer())
    result = await walk

    assert result.outcome is HUMAN
    assert errors(result) == [("a", "hedged_away"), ("b", "rejected"), ("human", None)]


async def test_a_cancelled_walk_cuts_both(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider
) -> None:
    walk = stage.walk(first, second)
    await stage.make_late(first)
    await second.called.wait()
    walk.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walk

    assert (first.cuts, second.cuts) == (1, 1)


async def test_an_error_that_is_not_the_providers_ends_the_walk(
    stage: HedgingStage, first: SteeredProvider, second: SteeredProvider
) -> None:
    walk = stage.walk(first, second)
    await stage.make_late(first)
    await second.called.wait()
    second.does(RuntimeError("the caller's own"))

    with pytest.raises(RuntimeError):
        await walk
    assert first.cuts == 1
