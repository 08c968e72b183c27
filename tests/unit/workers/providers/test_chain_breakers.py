"""The walk past breakers: who is skipped, what is counted, and that no permit is kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from shared.breakers.board import BreakerBoard
from shared.breakers.breaker import Breaker
from shared.breakers.reading import CallOutcome
from shared.breakers.rules import LocalBreakers
from shared.settings.resilience import BreakerSettings
from shared.telemetry.metrics import Metrics
from tests.unit.workers.providers.scripted_links import (
    PROMPT,
    ListedProvider,
    Stage,
    answer,
    invalid,
    timeout,
    too_long,
    transient,
    unauthorised,
)
from workers.providers.attempt import ChainExhaustedError, ChainResult, ModelsAwayError
from workers.providers.chain import Chain, ChainLink, Judge, Judgement
from workers.providers.error_class import ErrorClass
from workers.providers.failures import InvalidRequestError, ProviderError, TransientProviderError
from workers.providers.outcome import Answer, HandedOff
from workers.providers.provider import Sink

HUMAN = HandedOff(reason="nobody else", apology_text="sorry")


class BreakerStage(Stage):
    """Models behind breakers, a human behind them who is always asked."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics = Metrics()
        settings = BreakerSettings()
        keeper = LocalBreakers(settings, self.clock)
        self.board = BreakerBoard(keeper, settings, metrics=self.metrics, clock=self.clock)

    def breaker(self, provider: str) -> Breaker:
        return self.board.breaker(provider, f"{provider}-auto")

    async def open(self, provider: str) -> None:
        for _ in range(5):
            await (await self.breaker(provider).admit()).end(CallOutcome.FAILURE)

    async def walk(
        self,
        *models: ListedProvider,
        seconds: float = 60.0,
        judge: Judge | None = None,
        waits: bool = False,
        order: tuple[str, ...] = (),
    ) -> ChainResult:
        links = [ChainLink(provider=model, breakers=self.board) for model in models]
        human = ChainLink(provider=self.provider("human", HUMAN))
        chain = Chain([*links, human], clock=self.clock, sleep=self._sleep)
        deadline = self.clock.now() + timedelta(seconds=seconds)
        prompt = msgspec.structs.replace(PROMPT, order=order)
        return await chain.answer(prompt, deadline=deadline, judge=judge, waits=waits)


@pytest.fixture
def stage() -> BreakerStage:
    return BreakerStage()


async def test_an_open_provider_is_skipped_without_an_attempt(stage: BreakerStage) -> None:
    await stage.open("a")
    dead, spare = stage.provider("a"), stage.provider("b", answer())

    result = await stage.walk(dead, spare)

    assert (result.provider, result.skipped, dead.calls) == ("b", ("a",), [])
    assert [each.provider for each in result.attempts] == ["b"]
    assert stage.slept == []


async def test_with_every_model_open_a_human_is_asked_at_once(stage: BreakerStage) -> None:
    for name in ("a", "b"):
        await stage.open(name)

    result = await stage.walk(stage.provider("a"), stage.provider("b"))

    assert (result.outcome, result.skipped, stage.slept) == (HUMAN, ("a", "b"), [])


async def test_a_chain_of_open_models_alone_says_why_it_is_exhausted(stage: BreakerStage) -> None:
    await stage.open("a")
    chain = Chain(
        [ChainLink(provider=stage.provider("a"), breakers=stage.board)], clock=stage.clock
    )

    with pytest.raises(ChainExhaustedError, match="a: breaker open") as caught:
        await chain.answer(PROMPT, deadline=stage.clock.now() + timedelta(seconds=9))
    assert (caught.value.attempts, caught.value.skipped) == ((), ("a",))


async def test_no_try_is_spent_on_a_provider_whose_breaker_has_just_opened(
    stage: BreakerStage,
) -> None:
    first = stage.provider("a", *[transient()] * 3)
    await stage.walk(first)
    second = stage.provider("a", *[transient()] * 3)
    stage.slept.clear()

    await stage.walk(second)

    assert (len(first.calls), len(second.calls), len(stage.slept)) == (3, 2, 1)


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (transient(ErrorClass.CONNECTION), True),
        (transient(ErrorClass.SERVER_ERROR), True),
        (transient(ErrorClass.MALFORMED_ANSWER), True),
        (transient(ErrorClass.CUT_STREAM), True),
        (timeout(), True),
        (
            TransientProviderError(
                "cut", error_class=ErrorClass.CUT_STREAM, after_first_token=True
            ),
            False,
        ),
        (transient(ErrorClass.EMPTY_ANSWER), False),
        (transient(ErrorClass.RATE_LIMITED), False),
        (unauthorised(), False),
        (invalid(), False),
        (too_long(), False),
    ],
    ids=lambda value: str(getattr(value, "error_class", value)),
)
async def test_only_a_sick_provider_is_counted_against(
    stage: BreakerStage, error: ProviderError, counts: bool
) -> None:
    for _ in range(10):
        model = stage.provider("a", *[error] * 3)
        try:
            await stage.walk(model)
        except InvalidRequestError:
            continue
    assert stage.breaker("a").refuses is counts


async def test_an_answer_that_is_rejected_does_not_count(stage: BreakerStage) -> None:
    async def reject(_: Answer) -> Judgement:
        return Judgement(accepted=False, reason="no")

    for _ in range(10):
        await stage.walk(stage.provider("a", answer()), judge=reject)
    assert not stage.breaker("a").refuses


async def test_messages_with_hardly_any_time_left_take_nobodys_provider(
    stage: BreakerStage,
) -> None:
    for _ in range(10):
        await stage.walk(stage.provider("a", *[timeout()] * 3, seconds=0.9), seconds=1)
    assert not stage.breaker("a").refuses


async def test_a_cancelled_probe_frees_its_place(stage: BreakerStage) -> None:
    await stage.open("a")
    stage.clock.advance(30)
    reached = asyncio.Event()

    async def hang(on_delta: Sink | None) -> Answer:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    walk = asyncio.create_task(stage.walk(stage.provider("a", hang)))
    await reached.wait()
    assert (await stage.walk(stage.provider("a"))).skipped == ("a",)
    walk.cancel()
    await asyncio.gather(walk, return_exceptions=True)
    await stage.board.close()

    assert (await stage.walk(stage.provider("a", answer()))).provider == "a"


async def test_a_provider_that_is_back_is_called_by_everybody_after_two_probes(
    stage: BreakerStage,
) -> None:
    await stage.open("a")
    stage.clock.advance(30)
    for _ in range(4):
        assert (await stage.walk(stage.provider("a", answer()))).provider == "a"
        await stage.board.close()

    page = stage.metrics.render().decode()
    assert 'forebay_breaker_state{model="a-auto",provider="a"} 0.0' in page
    for state in ("open", "half-open", "closed"):
        labels = f'model="a-auto",provider="a",state="{state}"'
        assert f"forebay_breaker_transitions_total{{{labels}}} 1.0" in page


async def test_what_can_wait_is_given_to_no_human_while_every_model_is_away(
    stage: BreakerStage,
) -> None:
    await stage.open("a")
    broken = stage.provider("b", *[transient()] * 3)

    with pytest.raises(ModelsAwayError):
        await stage.walk(stage.provider("a"), broken, waits=True)

    result = await stage.walk(stage.provider("a"), stage.provider("c", invalid()), waits=True)
    assert result.provider == "human", "a model was there, and had it"
    result = await stage.walk(stage.provider("a"), stage.provider("d", *[transient()] * 3))
    assert result.provider == "human", "it cannot wait"


async def test_a_prompt_with_an_order_is_given_to_those_models_alone_and_then_to_people(
    stage: BreakerStage,
) -> None:
    a, b, c = (stage.provider(name, unauthorised()) for name in "abc")
    result = await stage.walk(a, b, c, order=("c", "a"))
    assert [each.provider for each in result.attempts] == ["c", "a", "human"]
