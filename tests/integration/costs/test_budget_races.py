"""Whatever happens in whatever order, spent and reserved stay below the cap."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from random import Random

import pytest
from redis.asyncio import Redis

from ingress.admission.verdict import Admitted
from shared.clock import SystemClock
from shared.costs.price import nano_dollars
from shared.reservations.reservations import Reservations, budget_key
from tests.integration.costs.budgeted import OpenDoor, message, open_door, settle, tenant, worker

__all__ = ["open_door", "worker"]  # fixtures


@pytest.fixture
def clock() -> SystemClock:  # Redis keeps its own time
    return SystemClock()


@pytest.mark.parametrize("seed", range(5))
async def test_spent_and_reserved_never_pass_the_cap_in_any_order_of_events(
    open_door: OpenDoor, worker: Reservations, redis_client: Redis, seed: int
) -> None:
    chance, owner, doors = Random(seed), tenant("0.2"), [open_door() for _ in range(3)]
    cap, reserve = nano_dollars(Decimal("0.2")), nano_dollars(Decimal("0.01"))
    costs: list[int] = []
    held: list[int] = []

    async def live(number: int) -> None:
        for _ in range(12):
            asked = message(owner)
            if isinstance(await doors[number % 3].decide(asked), Admitted):
                end = chance.choice(["settled", "settled", "given back", "lost"])
                if end == "settled":
                    cost = chance.randrange(0, reserve)
                    assert await settle(worker, asked, str(Decimal(cost).scaleb(-9)))
                    costs.append(cost)
                elif end == "given back":
                    await doors[number % 3].give_back(asked)
                else:
                    held.append(reserve)
            day = await redis_client.hmget(budget_key(owner.id), "spent", "reserved")
            assert sum(int(amount or 0) for amount in day) <= cap

    await asyncio.gather(*(live(number) for number in range(12)))
    spent, reserved = await redis_client.hmget(budget_key(owner.id), "spent", "reserved")
    assert (int(spent or 0), int(reserved or 0)) == (sum(costs), sum(held))
    assert sum(costs) + sum(held) > cap - reserve, "as much was let in as there was room for"
