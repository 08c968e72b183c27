"""Faults on purpose: which calls are struck, and what it looks like from outside."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from shared.settings.turn.chaos import (
    ChaosSettings,
    InjectedError,
    InjectionKind,
    InjectionSettings,
)
from shared.telemetry.metrics import Metrics
from tests.unit.workers.providers.scripted_links import PROMPT, ListedProvider, Stage, answer
from workers.providers.chaos.chaos import Chaos
from workers.providers.error_class import ErrorClass, TimeoutPhase
from workers.providers.failures import InvalidRequestError, ProviderError, ProviderTimeoutError
from workers.providers.outcome import Answer, Outcome
from workers.providers.provider import Prompt, Provider
from workers.providers.wire.timeouts import Timeouts

ANSWERS = [answer()] * 2000


class Troubled:
    """A listed provider with injections around it, what it heard and how long it was held up."""

    def __init__(self, *injections: InjectionSettings, seed: int = 1) -> None:
        stage = Stage()
        self.metrics = Metrics()
        self.inner: ListedProvider = stage.provider("a", *ANSWERS)
        settings = ChaosSettings(enabled=True, injections=injections)
        chaos = Chaos(settings, self.metrics, random=Random(seed), sleep=stage._sleep)
        timeouts = Timeouts(first_token_seconds=5, total_seconds=20)
        self.provider: Provider = chaos.around(self.inner, timeouts)
        self.waited = stage.slept
        self.heard: list[str] = []

    async def ask(
        self, prompt: Prompt = PROMPT, *, streamed: bool = False, time_left_seconds: float = 60
    ) -> Outcome:
        return await self.provider.answer(
            prompt,
            time_left_seconds=time_left_seconds,
            on_delta=self._hear if streamed else None,
        )

    async def fails(self, **options: Any) -> ProviderError:
        with pytest.raises(ProviderError) as failed:
            await self.ask(**options)
        return failed.value

    def counted(self, kind: str) -> float:
        labels = {"provider": "a", "kind": kind}
        value = self.metrics.registry.get_sample_value("forebay_chaos_injections_total", labels)
        return value or 0.0

    async def _hear(self, piece: str) -> None:
        self.heard.append(piece)


def latency(seconds: float, *, rate: float = 1.0, **reach: Any) -> InjectionSettings:
    return InjectionSettings(kind=InjectionKind.LATENCY, rate=rate, seconds=seconds, **reach)


def fault(error: InjectedError, *, rate: float = 1.0, **more: Any) -> InjectionSettings:
    return InjectionSettings(kind=InjectionKind.FAULT, rate=rate, error=error, **more)


def outcome(text: str, *, rate: float = 1.0, **reach: Any) -> InjectionSettings:
    return InjectionSettings(kind=InjectionKind.OUTCOME, rate=rate, text=text, **reach)


@pytest.mark.parametrize("error", list(InjectedError))
async def test_every_class_of_error_can_be_had(error: InjectedError) -> None:
    troubled = Troubled(fault(error))

    assert (await troubled.fails()).error_class is ErrorClass(error.value)
    assert troubled.inner.calls == [], "nothing was asked, so nothing is paid for"
    assert troubled.counted("fault") == 1


async def test_an_invalid_request_carries_words_that_tell_where_they_come_from() -> None:
    error = await Troubled(fault(InjectedError.INVALID_REQUEST)).fails()

    assert isinstance(error, InvalidRequestError)
    assert error.provider_message.startswith("chaos")


async def test_a_rate_limit_names_its_wait() -> None:
    error = await Troubled(fault(InjectedError.RATE_LIMITED, retry_after_seconds=7)).fails()

    assert error.retry_after_seconds == 7


async def test_a_stream_is_cut_after_its_first_piece() -> None:
    troubled = Troubled(fault(InjectedError.CUT_STREAM))

    async def speak(sink: Any) -> Answer:
        await sink("one")
        await sink("two")
        raise AssertionError

    troubled.inner.steps[0] = speak
    error = await troubled.fails(streamed=True)

    assert (error.error_class, error.after_first_token) == (ErrorClass.CUT_STREAM, True)
    assert troubled.heard == ["one"]


async def test_latency_comes_before_the_call_and_out_of_its_time() -> None:
    troubled = Troubled(latency(3))

    assert await troubled.ask(time_left_seconds=10) == answer()
    assert (troubled.waited, troubled.inner.calls) == ([3], [7])
    assert troubled.counted("latency") == 1


@pytest.mark.parametrize(
    ("seconds", "left", "waited", "phase"),
    [(9, 60, 5, TimeoutPhase.FIRST_TOKEN), (9, 4, 4, TimeoutPhase.TOTAL)],
)
async def test_latency_beyond_the_timeouts_is_a_timeout(
    seconds: float, left: float, waited: float, phase: TimeoutPhase
) -> None:
    troubled = Troubled(latency(seconds))
    error = await troubled.fails(time_left_seconds=left)

    assert isinstance(error, ProviderTimeoutError)
    assert (error.phase, troubled.waited, troubled.inner.calls) == (phase, [waited], [])


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("text", ["", "Your balance is $127,549.32."])
async def test_a_bad_outcome_takes_the_place_of_the_answer_and_costs_nothing(
    streamed: bool, text: str
) -> None:
    troubled = Troubled(outcome(text))
    given = await troubled.ask(streamed=streamed)

    assert isinstance(given, Answer)
    assert (given.text, given.model, troubled.inner.calls) == (text, "a-auto", [])
    assert "".join(troubled.heard) == (text if streamed else "")
    assert (given.usage.input_tokens, given.usage.output_tokens) == (0, 0)


async def test_the_rate_is_the_share_of_the_calls() -> None:
    troubled = Troubled(outcome("bad", rate=0.2))
    given = [await troubled.ask() for _ in range(1000)]

    struck = sum(isinstance(each, Answer) and each.text == "bad" for each in given)
    assert 160 < struck < 240
    assert troubled.counted("outcome") == struck


async def test_a_rate_of_nothing_strikes_nobody() -> None:
    troubled = Troubled(outcome("bad", rate=0.0))

    assert {(await troubled.ask()).text for _ in range(200)} == {"Hi"}  # type: ignore[union-attr]
    assert troubled.counted("outcome") == 0


@pytest.mark.parametrize(
    ("reach", "is_struck"),
    [
        ({"providers": ("a",)}, True),
        ({"providers": ("b",)}, False),
        ({"models": ("a-large",)}, True),
        ({"models": ("a-auto",)}, False),
        ({"tenants": ("ten_staging",)}, True),
        ({"tenants": ("ten_real",)}, False),
        ({"providers": ("a",), "models": ("a-large",), "tenants": ("ten_real",)}, False),
    ],
)
async def test_only_calls_within_its_reach_are_struck(
    reach: dict[str, Any], is_struck: bool
) -> None:
    troubled = Troubled(outcome("bad", **reach))
    given = await troubled.ask(replace(PROMPT, model="large", tenant="ten_staging"))

    assert isinstance(given, Answer)
    assert (given.text == "bad") is is_struck


async def test_injections_add_up_from_the_first_to_the_last() -> None:
    troubled = Troubled(latency(2), fault(InjectedError.SERVER_ERROR), outcome("never"))

    assert (await troubled.fails()).error_class is ErrorClass.SERVER_ERROR
    assert troubled.waited == [2]
    assert [troubled.counted(kind) for kind in InjectionKind] == [1, 1, 0]


async def test_closing_closes_the_provider() -> None:
    troubled = Troubled(latency(2), outcome("bad"))
    await troubled.provider.close()

    assert troubled.inner.closed
