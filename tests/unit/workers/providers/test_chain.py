"""The chain: who is asked, how often, and what is told of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.unit.workers.providers.scripted_links import (
    PROMPT,
    Stage,
    answer,
    invalid,
    timeout,
    too_long,
    transient,
    unauthorised,
)
from workers.providers.attempt import ChainExhaustedError
from workers.providers.chain import Chain, Judgement
from workers.providers.error_class import ErrorClass
from workers.providers.failures import InvalidRequestError, ProviderError
from workers.providers.outcome import Answer, Declined, HandedOff
from workers.providers.provider import Sink


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_the_first_answer_stands_and_nobody_else_is_asked(stage: Stage) -> None:
    first, second = stage.provider("a", answer(), seconds=2), stage.provider("b")

    result = await stage.ask(first, second)

    assert (result.outcome, result.provider) == (answer(), "a")
    (attempt,) = result.attempts
    assert (attempt.provider, attempt.model, attempt.ordinal) == ("a", "a-auto", 1)
    assert (attempt.latency_seconds, attempt.error_class) == (2.0, None)
    assert attempt.usage == answer().usage
    assert second.calls == []


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (transient(ErrorClass.CONNECTION), 3),
        (transient(ErrorClass.SERVER_ERROR), 3),
        (transient(ErrorClass.RATE_LIMITED), 3),
        (transient(ErrorClass.CUT_STREAM), 3),
        (transient(ErrorClass.MALFORMED_ANSWER), 2),
        (transient(ErrorClass.EMPTY_ANSWER), 2),
        (timeout(), 2),
        (unauthorised(), 1),
        (too_long(), 1),
    ],
    ids=lambda value: str(getattr(value, "error_class", value)),
)
async def test_each_class_of_error_has_its_number_of_tries(
    stage: Stage, error: ProviderError, tries: int
) -> None:
    broken, spare = stage.provider("a", *[error] * 5), stage.provider("b", answer())

    result = await stage.ask(broken, spare)

    assert len(broken.calls) == tries
    assert len(stage.slept) == tries - 1
    assert [each.error_class for each in result.attempts] == [error.error_class] * tries + [None]
    assert [each.ordinal for each in result.attempts] == list(range(1, tries + 2))
    assert result.attempts[0].detail == error.message
    assert result.attempts[0].model == "a-auto"


async def test_a_provider_that_recovers_answers_itself(stage: Stage) -> None:
    first, second = stage.provider("a", transient(), answer()), stage.provider("b")

    assert (await stage.ask(first, second)).provider == "a"


async def test_what_one_provider_refuses_another_may_answer(stage: Stage) -> None:
    first, second = stage.provider("a", transient(), invalid()), stage.provider("b", answer())

    result = await stage.ask(first, second)

    assert result.provider == "b"
    assert [each.error_class for each in result.attempts] == [
        ErrorClass.SERVER_ERROR,
        ErrorClass.INVALID_REQUEST,
        None,
    ]


@pytest.mark.parametrize("last", [invalid("nor I"), too_long()])
async def test_the_caller_is_told_of_a_refusal_when_everybody_has_refused(
    stage: Stage, last: ProviderError
) -> None:
    rules = stage.provider("rules", Declined(reason="no rule"))

    with pytest.raises(InvalidRequestError) as caught:
        await stage.ask(stage.provider("a", invalid("no")), stage.provider("b", last), rules)

    assert caught.value.provider_message == "no"
    assert len(caught.value.attempts) == 3


@pytest.mark.parametrize("other", [unauthorised(), timeout()], ids=lambda e: e.error_class)
async def test_a_refusal_is_not_the_callers_fault_while_somebody_could_not_answer(
    stage: Stage, other: ProviderError
) -> None:
    with pytest.raises(ChainExhaustedError):
        await stage.ask(stage.provider("a", invalid()), stage.provider("b", *[other] * 2))


async def test_what_everybody_declined_is_named(stage: Stage) -> None:
    with pytest.raises(ChainExhaustedError, match="a: declined, for it takes no files"):
        await stage.ask(stage.provider("a", Declined(reason="it takes no files")))


async def test_a_provider_that_declines_is_passed_over(stage: Stage) -> None:
    rules = stage.provider("rules", Declined(reason="no rule"))
    human = stage.provider("human", HandedOff(reason="r", apology_text="sorry"))

    result = await stage.ask(rules, human)

    assert isinstance(result.outcome, HandedOff)
    assert [each.error_class for each in result.attempts] == [ErrorClass.DECLINED, None]
    assert stage.slept == []


async def test_a_rate_limit_longer_than_the_time_left_goes_to_the_next_at_once(
    stage: Stage,
) -> None:
    limited = stage.provider("a", transient(ErrorClass.RATE_LIMITED, retry_after_seconds=61))
    spare = stage.provider("b", answer())

    assert (await stage.ask(limited, spare, seconds=60)).provider == "b"
    assert stage.slept == []


async def test_retry_after_is_a_floor_with_jitter_on_top(stage: Stage) -> None:
    error = transient(ErrorClass.RATE_LIMITED, retry_after_seconds=5)

    await stage.ask(stage.provider("a", error, error, answer()))

    assert 5 < stage.slept[0] <= 5.5
    assert 5 < stage.slept[1] <= 6


async def test_a_timeout_is_not_repeated_when_it_would_not_fit(stage: Stage) -> None:
    slow = stage.provider("a", timeout(), timeout(), seconds=40)
    spare = stage.provider("b", answer())

    assert (await stage.ask(slow, spare, seconds=60)).provider == "b"
    assert len(slow.calls) == 1


async def test_a_provider_leaves_time_for_those_behind_it(stage: Stage) -> None:
    hanging = stage.provider("a", timeout(), seconds=1000)
    spare = stage.provider("b", answer())

    assert (await stage.ask(hanging, spare, seconds=60)).provider == "b"
    assert hanging.calls == [pytest.approx(48)]
    assert spare.calls == [pytest.approx(12)]


async def test_nobody_is_asked_after_the_deadline(stage: Stage) -> None:
    last = stage.provider("a", timeout(), seconds=1000)

    with pytest.raises(ChainExhaustedError) as caught:
        await stage.ask(last, seconds=60)
    assert [each.error_class for each in caught.value.attempts] == [ErrorClass.TIMEOUT]

    late = stage.provider("b", answer())
    with pytest.raises(ChainExhaustedError) as caught:
        await stage.ask(late, seconds=0)
    assert (caught.value.attempts, late.calls) == ((), [])


async def test_an_exhausted_chain_names_every_attempt(stage: Stage) -> None:
    with pytest.raises(ChainExhaustedError) as caught:
        await stage.ask(
            stage.provider("a", unauthorised()), stage.provider("b", *[transient()] * 3)
        )

    assert [each.provider for each in caught.value.attempts] == ["a", "b", "b", "b"]
    assert caught.value.retryable
    assert "a: unauthorised" in caught.value.message


async def test_a_rejected_answer_is_paid_for_and_the_next_one_asked(stage: Stage) -> None:
    async def judge(given: Answer) -> Judgement:
        return Judgement(accepted=given.text == "true", reason="not so")

    liar, honest = stage.provider("a", answer("false")), stage.provider("b", answer("true"))

    result = await stage.ask(liar, honest, judge=judge)

    assert result.provider == "b"
    rejected = result.attempts[0]
    assert (rejected.error_class, rejected.detail) == (ErrorClass.REJECTED, "not so")
    assert rejected.usage == answer().usage


async def test_an_error_that_is_not_the_providers_ends_the_walk(stage: Stage) -> None:
    async def broken_caller(on_delta: Sink | None) -> Answer:
        raise RuntimeError("the caller's own")

    spare = stage.provider("b", answer())
    with pytest.raises(RuntimeError):
        await stage.ask(stage.provider("a", broken_caller), spare)
    assert spare.calls == []


async def test_a_cancelled_walk_stops_at_once(stage: Stage) -> None:
    reached = asyncio.Event()

    async def hang(on_delta: Sink | None) -> Answer:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    spare = stage.provider("b", answer())
    walk = asyncio.create_task(stage.ask(stage.provider("a", hang), spare))
    await reached.wait()
    walk.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walk
    assert spare.calls == []


async def test_closing_the_chain_closes_its_providers(stage: Stage) -> None:
    provider = stage.provider("a")
    await stage.chain(provider).close()

    assert provider.closed


async def test_a_chain_without_links_is_exhausted(stage: Stage) -> None:
    with pytest.raises(ChainExhaustedError):
        await Chain((), clock=stage.clock).answer(
            PROMPT, deadline=stage.clock.now() + timedelta(seconds=5)
        )
