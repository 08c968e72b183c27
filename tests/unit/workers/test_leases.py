"""What stops a turn that is under its lease: a lost lease, the end of its time, or a shutdown."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import cast

import pytest
from msgspec.structs import replace

from shared.persistence.ledger.claiming import ClaimGroup
from tests.queued_message import queued_message
from tests.unit.workers.noted_pipeline import NotedClaims
from workers.leases import LeaseLost, Leases, TurnOverdue

LIMIT_SECONDS = 60
"""Nothing here takes so long, on any machine."""


@pytest.fixture
def claims() -> NotedClaims:
    return NotedClaims([])


@pytest.fixture
def leases(claims: NotedClaims) -> Leases:
    return Leases(cast(ClaimGroup, claims))


async def turn(leases: Leases, message_id: str, *, seconds: float) -> None:
    """One that ends only when it is stopped."""
    record = replace(queued_message(), id=message_id, attempt=1)
    with leases.held(record, seconds=seconds):
        await asyncio.Event().wait()


async def stopped(running: asyncio.Task[None]) -> None:
    await asyncio.wait_for(running, LIMIT_SECONDS)


async def test_a_turn_is_stopped_once_its_time_is_over(leases: Leases) -> None:
    with pytest.raises(TurnOverdue, match="resp_1"):
        await asyncio.wait_for(turn(leases, "resp_1", seconds=0.01), LIMIT_SECONDS)


async def test_one_that_has_less_time_than_those_before_it_is_stopped_before_them(
    leases: Leases,
) -> None:
    patient = asyncio.create_task(turn(leases, "resp_1", seconds=3600))
    await asyncio.sleep(0)
    with pytest.raises(TurnOverdue, match="resp_2"):
        await asyncio.wait_for(turn(leases, "resp_2", seconds=0.01), LIMIT_SECONDS)
    assert not patient.done()
    patient.cancel()


async def test_one_is_stopped_in_time_whose_neighbour_with_less_time_has_ended(
    leases: Leases,
) -> None:
    with leases.held(replace(queued_message(), id="resp_1", attempt=1), seconds=0.01):
        pass
    with pytest.raises(TurnOverdue, match="resp_2"):
        await asyncio.wait_for(turn(leases, "resp_2", seconds=0.2), LIMIT_SECONDS)


async def test_several_are_stopped_each_in_its_time(leases: Leases) -> None:
    turns = [
        asyncio.create_task(turn(leases, f"resp_{nth}", seconds=nth / 20)) for nth in range(1, 6)
    ]
    for running in turns:
        with pytest.raises(TurnOverdue):
            await stopped(running)


async def test_a_lost_lease_stops_its_turn_and_no_other(
    leases: Leases, claims: NotedClaims
) -> None:
    lost = asyncio.create_task(turn(leases, "resp_1", seconds=3600))
    await asyncio.sleep(0)
    claims.is_held = False
    await leases.renew()
    with pytest.raises(LeaseLost, match="resp_1"):
        await stopped(lost)
    claims.is_held = True
    kept = asyncio.create_task(turn(leases, "resp_2", seconds=3600))
    await asyncio.sleep(0)
    await leases.renew()
    await asyncio.sleep(0)
    assert not kept.done()
    kept.cancel()


async def test_a_shutdown_goes_before_a_lost_lease(leases: Leases, claims: NotedClaims) -> None:
    running = asyncio.create_task(turn(leases, "resp_1", seconds=3600))
    await asyncio.sleep(0)
    claims.is_held = False
    await leases.renew()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped(running)
    assert running.cancelled()


async def test_a_turn_that_takes_no_notice_of_being_stopped_goes_on(
    leases: Leases, claims: NotedClaims
) -> None:
    async def stubborn() -> str:
        with leases.held(replace(queued_message(), attempt=1), seconds=3600):
            claims.is_held = False
            await leases.renew()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        await asyncio.sleep(0)  # it is not cancelled any more
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()
        return "ended"

    assert await asyncio.wait_for(asyncio.create_task(stubborn()), LIMIT_SECONDS) == "ended"
