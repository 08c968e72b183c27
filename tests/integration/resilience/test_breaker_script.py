"""The script in Redis keeps the same rules as the breakers of a single process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import pytest
from redis.asyncio import Redis

from shared.breakers.fleet import BreakerFleet, breaker_key, read_breakers, reset_breaker
from shared.breakers.reading import BreakerKeeper, BreakerReading, CallOutcome
from shared.breakers.rules import LocalBreakers
from shared.clock import ManualClock, SystemClock
from shared.settings.resilience import BreakerSettings

NAME = "primary/org/model-1"
SETTINGS = BreakerSettings(
    window_seconds=10**7, open_seconds=3600, probe_lease_seconds=10**7, probes=2
)


@pytest.fixture
async def fleet(redis_client: Redis) -> AsyncIterator[BreakerFleet]:
    fleet = BreakerFleet(redis_client, SETTINGS, SystemClock())
    yield fleet
    await fleet.close()


class Pair:
    """The same questions to both keepers."""

    def __init__(self, fleet: BreakerFleet, client: Redis) -> None:
        self._redis = client
        self._clock = ManualClock()
        self._permits = ["unknown"]
        self._keepers: tuple[BreakerKeeper, BreakerKeeper] = (
            fleet,
            LocalBreakers(SETTINGS, self._clock),
        )

    async def ask(self, random: Random) -> None:
        permit = random.choice(self._permits[-3:])
        match random.choice(("report", "report", "begin", "begin", "end", "end", "wait")):
            case "report":
                outcomes = "".join(random.choices("sf", k=random.randint(0, 6)))
                self._compare(
                    *[await each.report(NAME, outcomes=outcomes) for each in self._keepers]
                )
            case "begin":
                permit = f"permit-{len(self._permits)}"
                self._permits.append(permit)
                self._compare(*[await each.begin_probe(NAME, permit) for each in self._keepers])
            case "end":
                outcome = random.choice(list(CallOutcome))
                answers = [await each.end_probe(NAME, permit, outcome) for each in self._keepers]
                self._compare(*answers)
            case "wait":
                self._clock.advance(SETTINGS.open_seconds)
                await self._redis.hset(breaker_key(NAME), "half_open_at", "0")
                for each in self._keepers:
                    await each.report(NAME)

    def _compare(self, shared: BreakerReading, local: BreakerReading) -> None:
        for field in ("state", "free_probes", "granted", "changed"):
            assert getattr(shared, field) == getattr(local, field), (field, shared, local)
        assert shared.seconds_left == pytest.approx(local.seconds_left, abs=1800)


@pytest.mark.parametrize("seed", range(20))
async def test_both_keepers_give_the_same_answers(
    fleet: BreakerFleet, redis_client: Redis, seed: int
) -> None:
    pair, random = Pair(fleet, redis_client), Random(seed)
    for _ in range(60):
        await pair.ask(random)


async def test_calls_are_counted_for_the_whole_fleet(
    fleet: BreakerFleet, redis_client: Redis
) -> None:
    other = BreakerFleet(redis_client, SETTINGS, SystemClock())
    await fleet.report(NAME, outcomes="sff")
    reading = await other.report(NAME, outcomes="f")

    assert (reading.state, reading.calls, reading.failures) == ("closed", 4, 3)
    assert (await other.report(NAME, outcomes="ff")).changed
    assert (await fleet.report(NAME)).state == "open"
    await other.close()


async def test_old_calls_leave_the_window(redis_client: Redis) -> None:
    fleet = BreakerFleet(redis_client, BreakerSettings(window_seconds=0.1), SystemClock())
    await fleet.report(NAME, outcomes="sfsfsfsfs")
    while (reading := await fleet.report(NAME)).calls:
        pass

    assert (reading.failures, (await fleet.report(NAME, outcomes="f")).calls) == (0, 1)
    await fleet.close()


async def test_what_redis_keeps_is_listed_and_reset(
    fleet: BreakerFleet, redis_client: Redis
) -> None:
    await fleet.report(NAME, outcomes="fffff")
    listed = {name: reading.state async for name, reading in read_breakers(redis_client, SETTINGS)}

    assert listed == {NAME: "open"}
    assert await reset_breaker(redis_client, NAME)
    assert (await fleet.report(NAME)).state == "closed"
    assert not await reset_breaker(redis_client, "nobody/knows")


async def test_a_breaker_nobody_uses_is_forgotten_in_time(
    fleet: BreakerFleet, redis_client: Redis
) -> None:
    await fleet.report(NAME, outcomes="f")
    assert 0 < await redis_client.ttl(breaker_key(NAME)) <= 2 * SETTINGS.window_seconds
