"""What every keeper of breakers promises: when one opens, whom it lets probe, when it closes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import pytest
from redis.asyncio import Redis

from shared.breakers.fleet import BreakerFleet, breaker_key
from shared.breakers.reading import BreakerKeeper, BreakerState, CallOutcome
from shared.breakers.rules import LocalBreakers
from shared.clock import ManualClock, SystemClock
from shared.redis.client import open_redis
from shared.settings.resilience import BreakerSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from tests.integration.patience import patient_settings
from tests.servers.ports import free_port

NAME = "primary/org/model-1"
SETTINGS = BreakerSettings(window_seconds=3600, probes=2)


class Kept(Protocol):
    """A keeper, and time for it to pass."""

    keeper: BreakerKeeper

    async def wait(self, seconds: float) -> None:
        """So much of the waits and leases of the breaker is over."""


class KeptHere:
    def __init__(self) -> None:
        self._clock = ManualClock()
        self.keeper = LocalBreakers(SETTINGS, self._clock)

    async def wait(self, seconds: float) -> None:
        self._clock.advance(seconds)


class KeptInRedis:
    def __init__(self, redis: Redis, fleet: BreakerFleet) -> None:
        self._redis = redis
        self.keeper = fleet

    async def wait(self, seconds: float) -> None:
        """Redis has a clock of its own, so what it waits for is brought nearer."""
        for field, at in (await self._redis.hgetall(breaker_key(NAME))).items():
            if field == b"half_open_at" or field.startswith(b"p"):
                await self._redis.hset(breaker_key(NAME), field, int(at) - int(seconds * 1000))


class KeptWithoutRedis:
    def __init__(self, fleet: BreakerFleet, clock: ManualClock) -> None:
        self.keeper, self._clock = fleet, clock

    async def wait(self, seconds: float) -> None:
        self._clock.advance(seconds)


@asynccontextmanager
async def here(_: str) -> AsyncIterator[Kept]:
    yield KeptHere()


@asynccontextmanager
async def in_redis(redis_url: str) -> AsyncIterator[Kept]:
    async with open_redis(patient_settings(redis_url)) as redis:
        fleet = BreakerFleet(redis, SETTINGS, SystemClock())
        yield KeptInRedis(redis, fleet)
        await fleet.close()


@asynccontextmanager
async def without_redis(_: str) -> AsyncIterator[Kept]:
    nowhere = ServerUrl(f"redis://127.0.0.1:{free_port()}/0")
    async with open_redis(RedisSettings(url=nowhere)) as redis:
        clock = ManualClock()
        fleet = BreakerFleet(redis, SETTINGS, clock)
        yield KeptWithoutRedis(fleet, clock)
        await fleet.close()


KEEPERS: dict[str, Callable[[str], AbstractAsyncContextManager[Kept]]] = {
    "this process": here,
    "Redis": in_redis,
    "a fleet whose Redis is away": without_redis,
}


@pytest.fixture(params=KEEPERS)
async def kept(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[Kept]:
    async with KEEPERS[request.param](redis_url) as kept:
        yield kept


@pytest.fixture
async def opened(kept: Kept) -> Kept:
    assert (await kept.keeper.report(NAME, outcomes="fffff")).state is BreakerState.OPEN
    return kept


@pytest.fixture
async def probed(opened: Kept) -> Kept:
    """Half-open, with both places held, by `a` and `b`."""
    await opened.wait(SETTINGS.open_seconds + 0.01)
    assert [(await opened.keeper.begin_probe(NAME, permit)).granted for permit in "ab"] == [
        True
    ] * 2
    return opened


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ("", BreakerState.CLOSED),
        ("ffff", BreakerState.CLOSED),
        ("fffff", BreakerState.OPEN),
        ("ffffsffff", BreakerState.CLOSED),
        ("sfsfsfsfsf", BreakerState.OPEN),
        ("ssfsfsfsfsf", BreakerState.CLOSED),
        ("sssssssssssssssfffff", BreakerState.OPEN),
        ("s" * 100 + "ffff" * 4, BreakerState.OPEN),
    ],
)
async def test_it_opens_at_half_of_ten_calls_or_five_in_a_row(
    kept: Kept, outcomes: str, state: BreakerState
) -> None:
    assert (await kept.keeper.report(NAME, outcomes=outcomes)).state is state


async def test_calls_add_up_over_reports_and_are_told(kept: Kept) -> None:
    for outcomes in ("sf", "f", ""):
        reading = await kept.keeper.report(NAME, outcomes=outcomes)
    assert (reading.state, reading.calls, reading.failures) == (BreakerState.CLOSED, 3, 2)


async def test_one_breaker_says_nothing_of_another(opened: Kept) -> None:
    assert (await opened.keeper.report("other/model")).state is BreakerState.CLOSED


async def test_an_open_one_counts_nothing_and_lets_nobody_probe(opened: Kept) -> None:
    await opened.wait(SETTINGS.open_seconds - 5)
    late = await opened.keeper.report(NAME, outcomes="fffffsssss")
    assert late.state is BreakerState.OPEN
    assert late.seconds_left == pytest.approx(5, abs=1)
    assert not (await opened.keeper.begin_probe(NAME, "a")).granted
    await opened.wait(5.01)
    ready = await opened.keeper.report(NAME)
    assert (ready.state, ready.free_probes) == (BreakerState.HALF_OPEN, SETTINGS.probes)


async def test_a_change_is_told_once(opened: Kept) -> None:
    assert not (await opened.keeper.report(NAME)).changed
    await opened.wait(SETTINGS.open_seconds + 0.01)
    first = await opened.keeper.begin_probe(NAME, "a")
    assert (first.state, first.changed) == (BreakerState.HALF_OPEN, True)
    assert not (await opened.keeper.report(NAME)).changed


async def test_half_open_grants_no_more_probes_than_it_leases(probed: Kept) -> None:
    third = await probed.keeper.begin_probe(NAME, "c")
    assert (third.granted, third.free_probes) == (False, 0)


async def test_a_probe_that_says_nothing_makes_room_for_another(probed: Kept) -> None:
    reading = await probed.keeper.end_probe(NAME, "a", CallOutcome.NEUTRAL)
    assert (reading.state, reading.free_probes) == (BreakerState.HALF_OPEN, 1)
    assert (await probed.keeper.begin_probe(NAME, "c")).granted


async def test_one_failed_probe_opens_it_again(probed: Kept) -> None:
    again = await probed.keeper.end_probe(NAME, "a", CallOutcome.FAILURE)
    assert (again.state, again.changed) == (BreakerState.OPEN, True)
    assert again.seconds_left == pytest.approx(SETTINGS.open_seconds, abs=1)
    late = await probed.keeper.end_probe(NAME, "b", CallOutcome.SUCCESS)
    assert late.state is BreakerState.OPEN


async def test_two_successes_close_it_and_its_past_is_forgotten(probed: Kept) -> None:
    one = await probed.keeper.end_probe(NAME, "a", CallOutcome.SUCCESS)
    two = await probed.keeper.end_probe(NAME, "b", CallOutcome.SUCCESS)
    assert (one.state, two.state) == (BreakerState.HALF_OPEN, BreakerState.CLOSED)
    assert (await probed.keeper.report(NAME, outcomes="ffff")).state is BreakerState.CLOSED


async def test_the_place_of_a_probe_whose_worker_is_silent_is_given_away(probed: Kept) -> None:
    await probed.wait(SETTINGS.probe_lease_seconds * 0.6)
    await probed.keeper.report(NAME, held=("a",))
    await probed.wait(SETTINGS.probe_lease_seconds * 0.6)

    granted = [(await probed.keeper.begin_probe(NAME, permit)).granted for permit in "cd"]
    assert granted == [True, False]
    late = await probed.keeper.end_probe(NAME, "b", CallOutcome.FAILURE)
    assert late.state is BreakerState.HALF_OPEN


async def test_a_permit_that_nobody_was_given_changes_nothing(probed: Kept) -> None:
    reading = await probed.keeper.end_probe(NAME, "nobody", CallOutcome.FAILURE)
    assert (reading.state, reading.free_probes) == (BreakerState.HALF_OPEN, 0)
