"""A crowd that asks how a server is costs it one attempt a second, however it is."""

from __future__ import annotations

import asyncio

from ingress.probe import Probe
from shared.clock import ManualClock
from shared.errors import RedisUnavailable


async def test_a_crowd_shares_one_attempt_a_second() -> None:
    clock, attempts = ManualClock(), 0

    async def attempt() -> None:
        nonlocal attempts
        attempts += 1

    probe = Probe(attempt, clock, seconds=1.0)
    assert all(await asyncio.gather(*(probe.is_well() for _ in range(50))))
    assert await probe.is_well()
    assert attempts == 1
    clock.advance(1.0)
    assert await probe.is_well()
    assert attempts == 2


async def test_what_fails_and_what_hangs_is_not_well_and_is_tried_again() -> None:
    clock, ends, attempts = ManualClock(), asyncio.Event(), 0

    async def attempt() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise RedisUnavailable("full")
        await ends.wait()

    probe = Probe(attempt, clock, seconds=0.01)
    assert not await probe.is_well()
    clock.advance(1.0)
    for _ in range(3):
        assert not await probe.is_well(), "it hangs"
    assert attempts == 2, "and nothing is sent after it"
    ends.set()
    assert await probe.is_well()
    await probe.close()
