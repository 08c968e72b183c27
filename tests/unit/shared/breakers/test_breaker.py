"""What a caller meets: permits, refusals, and how seldom its keeper is asked."""

from __future__ import annotations

import asyncio

import pybreaker
import pytest

from shared.breakers.reading import BreakerReading, CallOutcome
from tests.unit.shared.breakers.breaker_ground import NAME, Ground, call, fail


@pytest.fixture
def ground() -> Ground:
    return Ground()


async def test_a_closed_one_asks_its_keeper_once_for_a_hundred_calls(ground: Ground) -> None:
    breaker = ground.breaker()
    for _ in range(100):
        await call(breaker, CallOutcome.SUCCESS)
    assert ground.keeper.questions == [""]

    await breaker.refresh()
    assert ground.keeper.questions == ["", "s" * 100]


async def test_two_hundred_calls_run_at_once(ground: Ground) -> None:
    breaker, everybody = ground.breaker(), asyncio.Barrier(200)

    async def one() -> None:
        permit = await breaker.admit()
        await everybody.wait()
        await permit.end(CallOutcome.SUCCESS)

    async with asyncio.timeout(60):
        await asyncio.gather(*(one() for _ in range(200)))


async def test_the_fifth_failure_is_known_before_the_next_call(ground: Ground) -> None:
    breaker = ground.breaker()
    await fail(breaker)

    assert breaker.refuses
    with pytest.raises(pybreaker.CircuitBreakerError):
        await breaker.admit()


async def test_an_open_one_refuses_without_asking(ground: Ground) -> None:
    breaker = ground.breaker()
    await fail(breaker)
    asked = len(ground.keeper.questions)
    for _ in range(10):
        with pytest.raises(pybreaker.CircuitBreakerError):
            await breaker.admit()
    assert len(ground.keeper.questions) == asked


async def test_a_process_that_comes_later_does_not_begin_closed(ground: Ground) -> None:
    await fail(ground.breaker())

    with pytest.raises(pybreaker.CircuitBreakerError):
        await ground.breaker().admit()


async def test_a_process_that_slept_looks_before_it_calls(ground: Ground) -> None:
    sleeper = ground.breaker()
    await call(sleeper, CallOutcome.SUCCESS)
    await fail(ground.breaker(), 6 - 1)
    ground.clock.advance(5)

    with pytest.raises(pybreaker.CircuitBreakerError):
        await sleeper.admit()


@pytest.mark.parametrize("outcome", [CallOutcome.NEUTRAL, CallOutcome.SUCCESS])
async def test_a_fleet_has_one_probe_at_a_time(ground: Ground, outcome: CallOutcome) -> None:
    fleet = [ground.breaker() for _ in range(3)]
    await fail(fleet[0])
    ground.clock.advance(30)

    permits = await asyncio.gather(*(each.admit() for each in fleet), return_exceptions=True)
    refused = [each for each in permits if isinstance(each, pybreaker.CircuitBreakerError)]
    assert len(refused) == 2

    await next(each for each in permits if not isinstance(each, BaseException)).end(outcome)
    for each in fleet:
        await each.close()
        await each.refresh()
    assert sum(not each.refuses for each in fleet) == 3


async def test_two_probes_that_succeed_let_everybody_in(ground: Ground) -> None:
    breaker = ground.breaker()
    await fail(breaker)
    ground.clock.advance(30)
    for _ in range(2):
        await call(breaker, CallOutcome.SUCCESS)
        await breaker.close()

    await asyncio.gather(*(breaker.admit() for _ in range(10)))
    assert ground.changes.seen == [
        ("closed", "open"),
        ("open", "half-open"),
        ("half-open", "closed"),
    ]


async def test_a_cancelled_probe_gives_its_place_back(ground: Ground) -> None:
    breaker = ground.breaker()
    await fail(breaker)
    ground.clock.advance(30)
    permit = await breaker.admit()
    assert breaker.refuses

    await permit.end(CallOutcome.NEUTRAL)
    await breaker.close()
    assert not breaker.refuses


async def test_a_place_that_comes_after_its_asker_left_is_given_back(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker = ground.breaker()
    await fail(breaker)
    ground.clock.advance(30)
    granted, asked = ground.keeper.begin_probe, asyncio.Event()

    async def slowly(name: str, permit: str) -> BreakerReading:
        reading = await granted(name, permit)
        asked.set()
        await asyncio.Event().wait()
        return reading

    monkeypatch.setattr(ground.keeper, "begin_probe", slowly)
    asking = asyncio.create_task(breaker.admit())
    await asked.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await breaker.close()

    assert (await ground.keeper.report(NAME)).free_probes == 1


async def test_a_probe_under_way_keeps_its_lease(ground: Ground) -> None:
    breaker, other = ground.breaker(), ground.breaker()
    await fail(breaker)
    ground.clock.advance(30)
    permit = await breaker.admit()
    for _ in range(8):
        ground.clock.advance(4)
        await breaker.refresh()

    with pytest.raises(pybreaker.CircuitBreakerError):
        await other.admit()
    await permit.end(CallOutcome.FAILURE)
    assert breaker.circuit.current_state == pybreaker.STATE_OPEN


async def test_pybreakers_own_way_to_call_is_closed(ground: Ground) -> None:
    circuit = ground.breaker().circuit
    with pytest.raises(TypeError):
        circuit.call(print)
    with pytest.raises(TypeError):
        circuit(print)()
