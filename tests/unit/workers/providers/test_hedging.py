"""Who may be asked beside a late call, how often, and what is late."""

from __future__ import annotations

from random import Random

import pytest

from shared.settings.turn.hedging import HedgingSettings
from shared.telemetry.metrics import Metrics
from tests.unit.workers.providers.scripted_links import answer, transient
from tests.unit.workers.providers.steered import HUMAN, HedgingStage, SteeredProvider, errors
from workers.providers.walking.lateness import Hedging, LearnedTimes

KIND = ("a", "m", True)


@pytest.fixture
def stage() -> HedgingStage:
    return HedgingStage()


def hedging(**settings: float) -> Hedging:
    return Hedging(HedgingSettings(**settings), Metrics())  # type: ignore[arg-type]


async def test_nobody_is_asked_beside_a_call_before_it_is_known_what_is_late(
    stage: HedgingStage,
) -> None:
    first, second = SteeredProvider("a"), SteeredProvider("b")
    first.does(answer())
    await stage.walk(first, second)

    assert stage.waits == []


async def test_rules_and_humans_are_never_asked_beside_a_model(stage: HedgingStage) -> None:
    first = SteeredProvider("a")
    stage.knows(first)
    walk = stage.walk(first)
    await stage.make_late(first)
    first.does(answer())

    assert errors(await walk) == [("a", None)]
    assert stage.human.calls == 0


async def test_a_model_whose_breaker_is_open_is_passed_over(stage: HedgingStage) -> None:
    first, sick, third = (SteeredProvider(name) for name in "abc")
    stage.knows(first)
    await stage.open_breaker(sick)
    walk = stage.walk(first, sick, third)
    await stage.make_late(first)
    third.does(answer())
    result = await walk

    assert (result.provider, sick.calls, result.skipped) == ("c", 0, ())


async def test_a_stopgap_answers_for_want_of_others_and_never_to_be_faster(
    stage: HedgingStage,
) -> None:
    first, small = SteeredProvider("a"), SteeredProvider("b", is_stopgap=True)
    stage.knows(first)
    walk = stage.walk(first, small)
    await stage.make_late(first)
    assert small.calls == 0
    first.does(transient())
    small.does(answer())

    assert (await walk).provider == "b"


async def test_a_model_that_is_probed_is_no_hedge(stage: HedgingStage) -> None:
    first, sick = SteeredProvider("a"), SteeredProvider("b")
    stage.knows(first)
    await stage.open_breaker(sick)
    walk = stage.walk(first, sick)
    await stage.make_late(first, seconds=31)
    first.does(answer())

    assert errors(await walk) == [("a", None)]
    assert sick.calls == 0


async def test_a_probe_is_not_hedged(stage: HedgingStage) -> None:
    first, second = SteeredProvider("a"), SteeredProvider("b")
    stage.knows(first)
    await stage.open_breaker(first)
    stage.clock.advance(30)
    first.does(answer())
    result = await stage.walk(first, second)

    assert (result.provider, stage.waits) == ("a", [])


async def test_a_message_is_hedged_once(stage: HedgingStage) -> None:
    first, second, third = (SteeredProvider(name) for name in "abc")
    stage.knows(first, second)
    walk = stage.walk(first, second, third)
    await stage.make_late(first)
    await second.called.wait()
    for each in (first, second):
        each.does(transient())
    second.does(answer())
    result = await walk

    assert errors(result) == [("a", "server_error"), ("b", "server_error"), ("b", None)]
    assert (len(stage.waits), third.calls) == (1, 0)


async def test_a_call_that_was_cut_says_nothing_of_its_provider(stage: HedgingStage) -> None:
    for _ in range(10):
        first, second = SteeredProvider("a"), SteeredProvider("b")
        stage.knows(first)
        walk = stage.walk(first, second)
        await stage.make_late(first)
        second.does(answer())
        assert errors(await walk)[0] == ("a", "hedged_away")
        assert stage.breaker(first).is_closed


async def test_no_more_than_its_share_of_the_calls_is_hedged() -> None:
    stage = HedgingStage(largest_share=0.25)
    hedged = 0
    for _ in range(41):
        first, second = SteeredProvider("a"), SteeredProvider("b")
        stage.knows(first)
        walk = stage.walk(first, second)
        await stage.make_late(first)
        stage.human.does(HUMAN)
        second.does(answer())
        first.does(answer())
        hedged += len((await walk).attempts) - 1
    assert 10 <= hedged <= 11


async def test_it_learns_from_streams_and_whole_answers_apart(stage: HedgingStage) -> None:
    for streamed, seconds in ((True, 2.0), (False, 7.0)):
        for _ in range(20):
            provider = SteeredProvider("a")
            walk = stage.walk(provider, streamed=streamed)
            await provider.called.wait()
            stage.clock.advance(seconds)
            provider.does("Hi", answer("Hi"))
            (attempt,) = (await walk).attempts
            assert attempt.first_token_seconds == (seconds if streamed else None)

    assert stage.hedging.patience_seconds(("a", "a-auto", True)) == 2.0
    assert stage.hedging.patience_seconds(("a", "a-auto", False)) == 7.0


def test_the_percentile_of_the_latest_calls_is_late() -> None:
    late = hedging(remembered_samples=100, shortest_seconds=0)
    times = [Random(1).uniform(0, 1) for _ in range(50)] + [each / 100 for each in range(100)]
    Random(2).shuffle(times[50:])
    for seconds in times:
        late.learn(KIND, seconds)

    assert late.patience_seconds(KIND) == pytest.approx(0.95)


def test_too_few_calls_say_nothing_and_no_call_is_late_at_once() -> None:
    late = hedging(minimum_samples=3, shortest_seconds=0.2)
    for expected in (None, None, None, 0.2):
        assert late.patience_seconds(KIND) == expected
        late.learn(KIND, 0.001)


def test_calls_that_were_given_up_late_are_not_forgotten() -> None:
    """Else the slowest twentieth would vanish, then the next, until nearly all were late."""
    late, random = hedging(shortest_seconds=0), Random(3)
    for _ in range(5000):
        took, patience = random.expovariate(1.0), late.patience_seconds(KIND)
        if patience is not None and took > patience:
            late.learn_at_least(KIND, patience + 0.01)
        else:
            late.learn(KIND, took)

    patience = late.patience_seconds(KIND)
    assert patience is not None
    assert 2.0 < patience < 5.0, "3.0 is the true percentile"


def test_calls_that_were_given_up_early_say_nothing() -> None:
    late = hedging(shortest_seconds=0)
    for _ in range(20):
        late.learn(KIND, 1.0)
    for _ in range(200):
        late.learn_at_least(KIND, 0.1)

    assert late.patience_seconds(KIND) == 1.0


def test_forgetting_keeps_the_times_sorted() -> None:
    times, random = LearnedTimes(remembered=20), Random(4)
    latest: list[float] = []
    for _ in range(500):
        seconds = random.choice([0.1, 0.2, random.random()])
        times.add(seconds)
        latest = [*latest, seconds][-20:]
        assert len(times) == len(latest)
        for share in (0.5, 0.9, 0.95):
            assert times.percentile(share) == sorted(latest)[int(share * len(latest))]
